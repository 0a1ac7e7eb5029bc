"""The stretches of a log, counted here or by several processes that each read the policies once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from authz.cli.replay.deciding import Deciding
from authz.cli.replay.tally import Tally
from authz.cli.sharing import shared_out
from authz.server.deciding import policies_in
from authz.server.records import read

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from authz.server.records import Stretch

_here: list[Deciding] = []
"""What decides in this process."""


def tallies(paths: Sequence[Path], parts: Sequence[Stretch], workers: int) -> Iterator[tuple[Stretch, Tally]]:
    """Yield what came of each stretch, as each is done."""
    if workers <= 1 or len(parts) <= 1:
        deciding = Deciding(policies_in(paths))
        for stretch in parts:
            yield stretch, counted(stretch, deciding)
        return
    policies_in(paths)  # what is wrong with them is told once, before processes start
    for number, tally in shared_out(_counted, parts, min(workers, len(parts)), partial(_begin, paths)):
        yield parts[number], tally


def counted(stretch: Stretch, deciding: Deciding) -> Tally:
    """Decide the records of a stretch again and count what came out."""
    tally, before = Tally(), deciding.made
    for line in read(stretch):
        tally.count(line, deciding)
    tally.made = deciding.made - before
    return tally


def _begin(paths: Sequence[Path]) -> None:
    _here.append(Deciding(policies_in(paths)))


def _counted(stretch: Stretch) -> Tally:
    return counted(stretch, _here[0])
