"""Which lines of files differ from a revision in Git: what a change has to show tests for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from authz.cli.git import commit_of, git

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_HUNK = re.compile(r"^@@ -\S+ \+(\d+)(?:,(\d+))? @@", re.MULTILINE)


def changed(files: Sequence[str], revision: str) -> Mapping[str, frozenset[int]]:
    """Return the lines of each file that are new or others since a revision; all of a file that was not there.

    Paths stay as they are written. Raises `Unavailable` where there is no Git, no repository or no such revision.
    """
    return {file: _lines(Path(file), revision) for file in files}


def _lines(file: Path, revision: str) -> frozenset[int]:
    root = commit_of(file.parent, revision)
    difference = _git(file, "diff", "--no-color", "--no-ext-diff", "--unified=0", root, "--", file.name)
    if not difference and not _git(file, "ls-files", "--", file.name):
        return frozenset(range(1, file.read_text().count("\n") + 2))
    hunks = _HUNK.findall(difference)
    return frozenset(line for start, count in hunks for line in range(int(start), int(start) + int(count or 1)))


def _git(file: Path, *arguments: str) -> str:
    return git(file.parent, *arguments).decode(errors="replace")
