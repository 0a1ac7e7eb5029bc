"""Which lines of files differ from a revision in Git: what a change has to show tests for."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from authz.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_HUNK = re.compile(r"^@@ -\S+ \+(\d+)(?:,(\d+))? @@", re.MULTILINE)


def changed(files: Sequence[str], revision: str) -> Mapping[str, frozenset[int]]:
    """Return the lines of each file that are new or others since a revision; all of a file that was not there.

    Paths stay as they are written. Raises `Unavailable` where there is no Git, no repository or no such revision.
    """
    return {file: _lines(Path(file), revision) for file in files}


def _lines(file: Path, revision: str) -> frozenset[int]:
    if revision.startswith("-"):
        raise Unavailable(f"{revision!r} is no revision")
    root = _git(file, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}").strip()
    difference = _git(file, "diff", "--no-color", "--no-ext-diff", "--unified=0", root, "--", file.name)
    if not difference and not _git(file, "ls-files", "--", file.name):
        return frozenset(range(1, file.read_text().count("\n") + 2))
    hunks = _HUNK.findall(difference)
    return frozenset(line for start, count in hunks for line in range(int(start), int(start) + int(count or 1)))


def _git(file: Path, *arguments: str) -> str:
    command = ["git", "-C", str(file.parent), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise Unavailable("git is not installed") from None
    if done.returncode:
        reason = done.stderr.strip() or f"no revision {arguments[-1].removesuffix('^{commit}')!r}"
        raise Unavailable(f"git, in {file.parent}: {reason}")
    return done.stdout
