"""`authz check`: what `serve` would say of these policies, before it has to."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from authz.cli.notes import ending
from authz.cli.output import Exit, say, tell
from authz.cli.reports import Report, report

if TYPE_CHECKING:
    from authz.errors import Fault
    from authz.policy import PolicySet
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
    policies, refused = _compiled(reading)
    faults = sorted({*reading.faults, *refused})
    text = report(faults, output)
    if text:
        say(text)
    for note in ending(policies.ending if policies else (), time.time()):
        tell(note)
    tell(_summary(len(reading.files), len(faults)))
    raise typer.Exit(Exit.POLICIES if faults else Exit.FINE)


def _compiled(reading: Reading) -> tuple[PolicySet | None, tuple[Fault, ...]]:
    """Return the policies, or why there are none."""
    from authz.errors import PolicyFaults  # noqa: PLC0415
    from authz.server.deciding import compiler  # noqa: PLC0415

    try:
        return compiler("auto").compile(reading.files), ()
    except PolicyFaults as refusal:
        return None, refusal.faults


def _summary(files: int, faults: int) -> str:
    read = f"{files} file{'s' * (files != 1)} read"
    return f"{read}, {faults} fault{'s' * (faults != 1)}" if faults else f"{read}, no fault"
