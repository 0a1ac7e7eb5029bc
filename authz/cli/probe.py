"""One question to a running service: whether it is well.

Asked every few seconds by `authz healthcheck`, so it must cost next to nothing: neither typer nor the settings are
loaded here, and gRPC's messages are written out, being two bytes.
"""

from __future__ import annotations

import os
import sys
from glob import glob
from pathlib import Path
from urllib.parse import urlsplit

DEFAULT = "127.0.0.1:9191"
SERVING = b"\x08\x01"
"""`grpc.health.v1.HealthCheckResponse{status: SERVING}`, serialized."""

UNWELL = "not serving"
"""What is said of one that answers, and says so."""


def probe(address: str = "", timeout: float = 1.0) -> int:
    """Ask, and return the exit code; say on standard error why it is not 0.

    `address` is host:port or unix:///path for gRPC, http://host:port/readyz for the admin port; without one it is
    the first of AUTHZ_LISTEN, else 127.0.0.1:9191.
    """
    address = address or os.environ.get("AUTHZ_LISTEN", DEFAULT).partition(",")[0].strip()
    ill = [f"{one}: {answer}" for one, answer in answers(address, timeout).items() if answer]
    for line in ill:
        print(line, file=sys.stderr)  # noqa: T201 - without typer
    return 1 if ill else 0


def answers(address: str, timeout: float) -> dict[str, str]:
    """Ask what serves at an address, each worker by its own; return why each is not well, `""` for one that is."""
    return {one: _ask(one, timeout) for one in _each(address)}


def _each(address: str) -> list[str]:
    """Name the socket of every worker where the one that was asked for is shared out (`authz-0.sock`, ...)."""
    if not address.startswith("unix:"):
        return [address]
    path = Path("/" + address.removeprefix("unix:").lstrip("/"))
    workers = sorted(glob(str(path.with_stem(f"{path.stem}-[0-9]*"))))  # noqa: PTH207 - a whole path is the pattern
    there = os.path.exists(path)  # noqa: PTH110 - which raises for a name that is too long
    return [f"unix://{one}" for one in ([str(path)] if there else workers or [str(path)])]


def _ask(address: str, timeout: float) -> str:
    """Return why the service is not well, `""` if it is."""
    try:
        return _ask_http(address, timeout) if address.startswith("http://") else _ask_grpc(address, timeout)
    except ValueError:  # a port that is none, a name that can't be sent
        return "is no address: write host:port, unix:///path or http://host:port/readyz"


def _ask_grpc(address: str, timeout: float) -> str:
    import grpc  # noqa: PLC0415 - the other way needs none

    with grpc.insecure_channel(address, options=(("grpc.enable_http_proxy", 0),)) as channel:
        check = channel.unary_unary("/grpc.health.v1.Health/Check")
        try:
            answer = check(b"", timeout=timeout)
        except grpc.RpcError as error:
            return f"{error.code().name.lower()}: {_cause(error.details() or '')}"
    return "" if answer == SERVING else UNWELL


def _cause(details: str) -> str:
    """Return what is at the end of gRPC's own chain of causes, without where it came up."""
    return details.rpartition(": ")[2].strip(" ]").lower()


def _ask_http(address: str, timeout: float) -> str:
    import http.client  # noqa: PLC0415 - the other way needs none

    url = urlsplit(address)
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=timeout)
    try:
        connection.request("GET", url.path or "/readyz")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return getattr(error, "strerror", None) or str(error) or type(error).__name__
    finally:
        connection.close()
    return "" if status == 200 else f"status {status}"
