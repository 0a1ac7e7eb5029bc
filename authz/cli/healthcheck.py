"""`authz healthcheck`: the exit code a probe wants.

Kubernetes' own gRPC probes reach TCP ports only; this reaches Unix sockets too.
"""

from __future__ import annotations

from typing import Annotated

import typer

from authz.cli.probe import probe


def command(
    address: Annotated[
        str, typer.Argument(help="host:port or unix:///path by gRPC; http://host:port/readyz for the admin port.")
    ] = "",
    timeout: Annotated[float, typer.Option(min=0.001, help="Seconds to wait for the answer.")] = 1.0,
) -> None:
    """Ask a running service for its health and exit 0 or 1.

    Without an address it is the first of AUTHZ_LISTEN, else 127.0.0.1:9191. Workers that share a Unix path are all
    asked, and all must be well.
    """
    raise typer.Exit(probe(address, timeout))
