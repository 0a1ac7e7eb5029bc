"""`authz diff`: what a change of policies means."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from authz.cli.output import ChangesOutput, Exit, say

if TYPE_CHECKING:
    from authz.cli.diff.report import Difference
    from authz.cli.diff.sources import Side
    from authz.cli.replay.tally import Tally


def command(
    before: Annotated[str, typer.Argument(metavar="REV1", help="A revision in Git, or a folder of policies.")],
    after: Annotated[str, typer.Argument(metavar="REV2", help="Another. [default: the policies as they are now]")] = "",
    *,
    policies: Annotated[
        list[Path] | None, typer.Option(help="The folders that revisions are looked at in. [default: policies]")
    ] = None,
    records: Annotated[Path | None, typer.Option(exists=True, help="Decision records, decided by both.")] = None,
    fail_on_change: Annotated[
        bool, typer.Option("--fail-on-change", help="Exit 5 where anything means something else.")
    ] = False,
    fail_on_widen: Annotated[
        bool, typer.Option("--fail-on-widen", help="Exit 5 where more is let in than before.")
    ] = False,
    output: Annotated[ChangesOutput, typer.Option(help="Who reads what changed.")] = ChangesOutput.PRETTY,
) -> None:
    """Show what changed in meaning between two states of policies: what they say, and what they answer.

    Both answer what tests ask, and what is on record (record.reads: values). Comments, order of files and defaults
    mean nothing. More is let in for certain where a limit is raised or a deny rule goes; what a condition does, only
    requests show.
    """
    from authz.cli.diff import report  # noqa: PLC0415 - see the package's docstring

    found = _found(before, after, policies or [Path("policies")], records)
    match output:
        case ChangesOutput.JSON:
            say(json.dumps(report.data(found), indent=2))
        case ChangesOutput.MARKDOWN:
            say(report.markdown(found))
        case ChangesOutput.PRETTY:
            say(report.pretty(found))
    if (fail_on_change and found.is_any) or (fail_on_widen and found.widens):
        raise typer.Exit(Exit.REPLAY)


def _found(before: str, after: str, policies: list[Path], records: Path | None) -> Difference:
    from authz.cli.diff import parts, sources  # noqa: PLC0415
    from authz.cli.diff.asking import compared  # noqa: PLC0415
    from authz.cli.diff.report import Difference  # noqa: PLC0415

    was = sources.side(before, policies)
    now = sources.side(after, policies) if after else sources.folders(policies)
    changes = parts.changes(was.policies.written, now.policies.written)
    return Difference(
        before=was.label,
        after=now.label,
        changes=(*changes, *parts.files(was.files, now.files)),
        tests=compared(was, now),
        records=None if records is None else _recorded(was, now, records),
    )


def _recorded(was: Side, now: Side, log: Path) -> Tally:
    from authz.cli.replay.deciding import Deciding  # noqa: PLC0415
    from authz.cli.replay.tally import Tally  # noqa: PLC0415
    from authz.server.records import read, stretches  # noqa: PLC0415

    tally, before, after = Tally(), Deciding(was.policies), Deciding(now.policies)
    for stretch in stretches(log):
        for line in read(stretch):
            tally.count_both(line, before, after)
    tally.made = before.made + after.made
    return tally
