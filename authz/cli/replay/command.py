"""`authz replay`: what other policies would have made of requests that were decided."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from authz.cli.output import ChangesOutput, Exit, say, tell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authz.cli.replay.tally import Tally
    from authz.server.records import Stretch


def command(
    log: Annotated[
        Path, typer.Argument(exists=True, help="Decision records: JSON lines, .gz, .parquet, or a folder of these.")
    ],
    *,
    policies: Annotated[list[Path] | None, typer.Option(help="Folder or file of policies. [default: policies]")] = None,
    fail_on_change: Annotated[
        bool, typer.Option("--fail-on-change", help="Exit 5 where a decision changed or is undetermined.")
    ] = False,
    reasons: Annotated[bool, typer.Option("--reasons", help="Show also where only reason or rule changed.")] = False,
    workers: Annotated[int, typer.Option(min=0, help="Processes; 0: one per processor.")] = 0,
    output: Annotated[ChangesOutput, typer.Option(help="Who reads what changed.")] = ChangesOutput.PRETTY,
) -> None:
    """Decide recorded requests again by other policies, and show which decisions change.

    Needs what the decisions depended on: record with record.reads: values. Limits are not charged again.
    """
    from authz.cli.replay import report  # noqa: PLC0415 - see the package's docstring
    from authz.cli.replay.tally import Kind  # noqa: PLC0415
    from authz.server.records import stretches  # noqa: PLC0415

    tally = _tally(policies or [Path("policies")], stretches(log), workers or os.cpu_count() or 1)
    if output is ChangesOutput.JSON:
        say(json.dumps(report.data(tally), indent=2))
    else:
        say((report.markdown if output is ChangesOutput.MARKDOWN else report.pretty)(tally, reasons=reasons))
    if not tally.records:
        tell(f"{log} holds no records of decisions")
        raise typer.Exit(Exit.UNEXPECTED if fail_on_change else Exit.FINE)  # what was to be proved was not looked at
    changed = (Kind.DENIED, Kind.ALLOWED, Kind.UNDETERMINED, *((Kind.REASON,) if reasons else ()))
    if fail_on_change and (tally.lost or any(map(tally.total, changed))):
        raise typer.Exit(Exit.REPLAY)


def _tally(policies: Sequence[Path], parts: Sequence[Stretch], workers: int) -> Tally:
    """Count everything, with a bar on standard error where somebody watches it."""
    from rich.console import Console  # noqa: PLC0415 - see the package's docstring
    from rich.progress import Progress  # noqa: PLC0415

    from authz.cli.replay.running import tallies  # noqa: PLC0415
    from authz.cli.replay.tally import Tally  # noqa: PLC0415

    console = Console(stderr=True)
    total = Tally()
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("replay", total=sum(part.size for part in parts))
        for part, tally in tallies(policies, parts, workers):
            total.add([tally])
            progress.advance(bar, part.size)
    return total
