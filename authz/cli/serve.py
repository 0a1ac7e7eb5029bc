"""`authz serve`: settings in, service out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from authz.cli.flags import with_settings
from authz.cli.output import say
from authz.config import Loaded, load


@with_settings
def command(
    *,
    flags: dict[str, str | tuple[str, ...]],
    config: Annotated[Path | None, typer.Option("--config", metavar="FILE", help="Settings in YAML.")] = None,
    print_settings: Annotated[
        bool, typer.Option("--print-settings", help="Print what is in force and where each value came from.")
    ] = False,
    worker: Annotated[int | None, typer.Option("--worker", hidden=True)] = None,
) -> None:
    """Answer Envoy: the gRPC service, its admin port, and the watch over its policies.

    Settings come from the file, then `AUTHZ_*` variables, then these flags. SIGTERM ends it when what is under way
    is answered, SIGHUP has it look at its policies.
    """
    loaded = load(file=config, environment=os.environ, flags=flags)
    if print_settings:
        _print(loaded)
        return
    from authz.server import serve  # noqa: PLC0415 - printing settings needs no service

    raise typer.Exit(serve(loaded, worker=worker))


def _print(loaded: Loaded) -> None:
    rows = list(loaded.rows())
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    for name, value, origin in rows:
        say(f"{name:{widths[0]}}  {value:{widths[1]}}  {origin}")
