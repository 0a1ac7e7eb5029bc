"""`authz audit`: whether records that are in a chain are what was written, all of it, in order."""

from __future__ import annotations

import gzip
import json
import re
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from authz.cli.output import Exit, Output, say
from authz.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from authz.audit import Verdict


class Action(StrEnum):
    """What can be done with records."""

    VERIFY = "verify"


def command(
    action: Annotated[Action, typer.Argument(help="verify.")],  # noqa: ARG001 - the one there is
    file: Annotated[
        Path, typer.Argument(exists=True, help="The file of records; what was rotated away beside it is read first.")
    ],
    *,
    key_file: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="The secret of record.key_file, if one was set.")
    ] = None,
    last: Annotated[
        str, typer.Option(metavar="HASH", help="The last hash, kept elsewhere: what was cut off the end is missed.")
    ] = "",
    output: Annotated[Output, typer.Option(help="Who reads it.")] = Output.PRETTY,
) -> None:
    """Check a chain of records (record.chain): that none was changed, taken out, put in, moved or cut off.

    Says the first line that is wrong and exits 1. What was cut off the end at a line is only missed with --last: the
    admin port's /status has the hash while the service runs. Without a key, whoever can write the file can make a
    chain of their own.
    """
    from authz.audit import verify  # noqa: PLC0415 - see the package's docstring
    from authz.errors import Unavailable  # noqa: PLC0415
    from authz.server.secret import key_in  # noqa: PLC0415

    files = _rotated(file)
    ends: list[int] = []
    try:
        secret = b"" if key_file is None else key_in(key_file)
        verdict = verify(_lines(files, ends), secret, last=last)
    except (OSError, EOFError) as error:
        raise Unavailable(
            f"can't read {getattr(error, 'filename', None) or file}: {getattr(error, 'strerror', None) or error}"
        ) from error
    place = _place(files, ends, verdict)
    say(_data(verdict, place) if output is Output.JSON else _pretty(verdict, place))
    raise typer.Exit(Exit.FINE if verdict.wrong is None else Exit.UNEXPECTED)


def _rotated(file: Path) -> list[Path]:
    """Return a file and those that were rotated away beside it, the oldest first."""
    pattern = re.compile(rf"{re.escape(file.name)}\.(\d+)(?:\.gz)?")
    beside = [(int(found[1]), each) for each in file.parent.glob("*") if (found := pattern.fullmatch(each.name))]
    return [each for _, each in sorted(beside, reverse=True)] + [file]


def _lines(files: Sequence[Path], ends: list[int]) -> Iterator[bytes]:
    """Yield the lines of files; `ends` gets how many there were by the end of each."""
    from authz.server.records import LONGEST  # noqa: PLC0415 - see the package's docstring

    total = 0
    for path in files:
        if not path.is_file():
            raise OSError(None, "it is no regular file", str(path))
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            for line in iter(partial(file.readline, LONGEST), b""):
                total += 1
                yield line
        ends.append(total)


def _place(files: Sequence[Path], ends: Sequence[int], verdict: Verdict) -> str:
    """Return file and line of what is wrong; a file that was not read to its end is the last that was read."""
    if not verdict.line:
        return str(files[-1])
    whole = [end for end in ends if end < verdict.line]
    return f"{files[min(len(whole), len(files) - 1)]}:{verdict.line - (whole or [0])[-1]}"


def _pretty(verdict: Verdict, place: str) -> str:
    from authz.audit import START  # noqa: PLC0415

    lines = [] if verdict.wrong is None else [f"{place}: {verdict.wrong.value if verdict.line else 'has no record'}"]
    before = " before it" if verdict.line else ""
    good = "is good" if verdict.records == 1 else "are good"
    last = f", the last is {verdict.last}" if verdict.last else ""
    lines.append(f"{counted(verdict.records, 'record')}{before} {good}{last}")
    if verdict.before:
        lines.append(f"before the chain: {counted(verdict.before, 'line')} of which nothing is known")
    if verdict.first not in {START, ""}:
        lines.append(f"the chain goes on from {verdict.first}: what was before it is not here")
    return "\n".join(lines)


def _data(verdict: Verdict, place: str) -> str:
    wrong = None if verdict.wrong is None else {"place": place, "what": verdict.wrong.name.lower()}
    known = {"records": verdict.records, "unchained_before": verdict.before}
    return json.dumps({**known, "first": verdict.first, "last": verdict.last, "wrong": wrong}, indent=2)
