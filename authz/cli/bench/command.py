"""`authz bench`: throughput and latency of an installation, beside a server that does nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from authz.cli.eval import Headers
from authz.cli.output import Exit, Output, say, tell
from authz.cli.scratch import scratch
from authz.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz.cli.bench.asking import Measured

ROUNDS = 3
"""Turns that service and no-op take, so that what else the machine does meets both."""

READY = 30.0
"""Seconds that the no-op may take to start."""

PATIENCE = 5.0
"""Seconds that the service may take to say that it is well."""

_SHARES = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999}


def command(
    method: Annotated[str, typer.Argument(help="The method of the request that is asked about.")] = "GET",
    url: Annotated[str, typer.Argument(help="Its URL.")] = "http://localhost/",
    *,
    headers: Headers = None,
    ip: Annotated[str, typer.Option(help="Who asks.")] = "127.0.0.1",
    address: Annotated[str, typer.Option(help="Where it listens. [default: the first of AUTHZ_LISTEN]")] = "",
    in_flight: Annotated[int, typer.Option(min=1, max=10_000, help="Calls under way at once.")] = 16,
    seconds: Annotated[float, typer.Option(min=0.1, max=600, help="How long each server is asked.")] = 6.0,
    output: Annotated[Output, typer.Option(help="Who reads it.")] = Output.PRETTY,
) -> None:
    """Ask a running service one thing again and again, and a server that does nothing in turns; compare the two.

    What it asks is decided, limited and recorded like any request. The client is Python's: where the no-op is hardly
    faster, what was measured is the client.
    """
    from authz.cli import request  # noqa: PLC0415 - see the package's docstring
    from authz.cli.probe import DEFAULT  # noqa: PLC0415

    address = address or os.environ.get("AUTHZ_LISTEN", DEFAULT).partition(",")[0].strip()
    try:
        lines, url = tuple(map(request.header, headers or ())), request.target(url)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    asked = request.Asked(method=method, url=url, headers=lines, ip=ip, time=time.time())
    _well(address)
    service, noop = _measured(address, request.message(asked), in_flight, seconds)
    say(json.dumps(_data(service, noop), indent=2) if output is Output.JSON else _pretty(service, noop))
    if failed := sorted(each for each in service.answers if each.startswith("gRPC")):
        calls = counted(sum(service.answers[each] for each in failed), "call")
        tell(f"{calls} got no answer: {', '.join(failed)}")
        raise typer.Exit(Exit.UNEXPECTED)


def _well(address: str) -> None:
    """Raise `Unavailable` where nobody answers well: how fast that is says nothing."""
    from authz.cli.probe import answers  # noqa: PLC0415
    from authz.errors import Unavailable  # noqa: PLC0415

    ill = [f"{one}: {why}" for one, why in answers(address, PATIENCE).items() if why]
    if ill:
        raise Unavailable("\n".join(ill))


def _measured(address: str, payload: bytes, in_flight: int, seconds: float) -> tuple[Measured, Measured]:
    from authz.cli.bench.asking import Measured, asked  # noqa: PLC0415

    service, noop = Measured(), Measured()
    with _noop() as beside:
        for _ in range(ROUNDS):
            for measured, where in ((noop, beside), (service, address)):
                measured.add([asked(where, payload, in_flight=in_flight, seconds=seconds / ROUNDS)])
    return service, noop


@contextmanager
def _noop() -> Iterator[str]:
    """Run a server that does nothing until the block ends; yields where it is."""
    with scratch("bench") as folder:
        address = f"unix://{folder}/noop.sock"
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "authz.cli.bench.noop", address], stdout=subprocess.DEVNULL
        )
        try:
            _await(process, address)
            yield address
        finally:
            process.terminate()
            process.wait()


def _await(process: subprocess.Popen[bytes], address: str) -> None:
    """Wait until a server answers; raise `Unavailable` where it ends first, or takes too long."""
    from authz.cli.probe import answers  # noqa: PLC0415
    from authz.errors import Unavailable  # noqa: PLC0415

    due = time.monotonic() + READY
    while any(answers(address, READY).values()):
        if process.poll() is not None or time.monotonic() > due:
            raise Unavailable("the server that does nothing did not start")
        time.sleep(0.05)


def _pretty(service: Measured, noop: Measured) -> str:
    lines = [_line("service", service), _line("no-op", noop)]
    (mine,), (theirs,) = service.percentiles(0.5), noop.percentiles(0.5)
    lines.append(f"the service answers {service.rate / noop.rate:.0%} of what the no-op does,")
    lines.append(f"and half of its answers take at most {_ms(mine - theirs)} more")
    lines.append(f"answers: {', '.join(f'{count} {said}' for said, count in service.answers.most_common())}")
    return "\n".join(lines)


def _line(name: str, measured: Measured) -> str:
    found = zip(_SHARES, measured.percentiles(*_SHARES.values()), strict=True)
    return f"{name:<8} {measured.rate:>8.0f}/s  " + "  ".join(f"{share} {_ms(took)}" for share, took in found)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms"


def _data(service: Measured, noop: Measured) -> dict[str, Any]:
    return {"service": _numbers(service), "noop": _numbers(noop), "answers": dict(service.answers)}


def _numbers(measured: Measured) -> dict[str, float]:
    found = zip(_SHARES, measured.percentiles(*_SHARES.values()), strict=True)
    milliseconds = {f"{share}_ms": round(took * 1000, 3) for share, took in found}
    return {"per_second": round(measured.rate, 1), "calls": len(measured.took), **milliseconds}
