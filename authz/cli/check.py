"""`authz check`: what `serve` would say of these policies, before it has to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from authz.cli.output import Exit, say, tell
from authz.cli.reports import Report, report

if TYPE_CHECKING:
    from authz.errors import Fault
    from authz.store import Reading


def command(
    paths: Annotated[list[Path], typer.Argument(exists=True, help="Folders and files, together one set of policies.")],
    output: Annotated[Report, typer.Option(help="Who reads the faults.")] = Report.PRETTY,
) -> None:
    """Read policies as the service reads them, and report every fault with its place.

    Exits 3 if there is any. Faults go to standard output, how many there are to standard error.
    """
    from authz.store import read  # noqa: PLC0415 - see the package's docstring

    reading = read(paths)
    faults = sorted({*reading.faults, *_faults(reading)})
    text = report(faults, output)
    if text:
        say(text)
    tell(_summary(len(reading.files), len(faults)))
    raise typer.Exit(Exit.POLICIES if faults else Exit.FINE)


def _faults(reading: Reading) -> tuple[Fault, ...]:
    from authz.errors import PolicyFaults  # noqa: PLC0415
    from authz.server.deciding import compiler  # noqa: PLC0415

    try:
        compiler("auto").compile(reading.files)
    except PolicyFaults as refusal:
        return refusal.faults
    return ()


def _summary(files: int, faults: int) -> str:
    read = f"{files} file{'s' * (files != 1)} read"
    return f"{read}, {faults} fault{'s' * (faults != 1)}" if faults else f"{read}, no fault"
