"""What Git says of a folder, where it is part of a checkout.

`head` reads the commit from the files of the repository, which is cheap and needs no Git: it is looked at with every
poll. `described` asks `git` for the rest, once for each set of policies; where that is not installed, or will not speak
(a checkout of another user), the commit is all there is. Git is not let run anything that a repository configures.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from authz.store.provenance import made

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz.store.provenance import Provenance

PATIENCE = 5.0
"""Seconds that Git may take; policies that wait for longer come into force with less said about them."""

LARGEST = 1 << 20
"""Bytes that are read of a file of references."""

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_QUIET = {
    "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_CEILING_DIRECTORIES": "", "LC_ALL": "C",
}  # fmt: skip
_OURS = (":(exclude).provenance.json", ":(exclude).signature.json")
"""What is written about a folder when it is copied, and is in no commit."""

_HARMLESS = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "safe.bareRepository=explicit")


def head(folder: str) -> str:
    """Return the commit that is checked out at or above a folder, `""` where none is to be found. Never raises."""
    try:
        for repository in _repositories(Path(folder)):
            return _commit(repository)
    except (OSError, ValueError):  # ValueError: a NUL in a name
        pass
    return ""


def described(folder: str) -> Provenance | None:
    """Return what Git knows of a folder, `None` where it is in no checkout. Never raises."""
    commit = head(folder)
    if not commit:
        return None
    try:
        # One look, so that author and date are of that commit whatever is checked out meanwhile.
        author, date = _git(folder, "show", "--no-patch", "--no-show-signature", "--format=%an <%ae>%n%cI", commit)[:2]
        dirty = bool(_git(folder, "status", "--porcelain", "--ignored", "--untracked-files=all", "--", ".", *_OURS))
        return made(commit, author, date, dirty=dirty)
    except (OSError, subprocess.SubprocessError, ValueError):
        return made(commit, "", "", dirty=False)


def _git(folder: str, *arguments: str) -> list[str]:
    command = ["git", "-C", folder, *_HARMLESS, *arguments]
    done = subprocess.run(
        command,
        capture_output=True,
        check=True,
        timeout=PATIENCE,
        stdin=subprocess.DEVNULL,
        env={**{name: value for name, value in os.environ.items() if not name.startswith("GIT_")}, **_QUIET},
    )
    return done.stdout.decode(errors="replace").splitlines()


def _repositories(folder: Path) -> Iterator[Path]:
    """Yield the repositories of the checkouts that a folder is in, the innermost first."""
    for each in (folder, *folder.parents):
        place = each / ".git"
        if place.is_dir():
            yield place
        elif place.is_file():  # a worktree or a submodule
            kind, _, target = _text(place).partition(": ")
            if kind == "gitdir":
                yield each / target


def _commit(repository: Path) -> str:
    """Follow HEAD to a commit; `""` where there is none yet."""
    content = _text(repository / "HEAD")
    shared = repository / "commondir"
    common = repository / _text(shared) if shared.is_file() else repository
    for _ in range(5):  # a reference may name another; Git follows as many
        if not content.startswith("ref: refs/"):
            break
        content = _reference(content.removeprefix("ref: "), repository, common)
    return content if _COMMIT.fullmatch(content) else ""


def _reference(name: str, repository: Path, common: Path) -> str:
    if ".." in name.split("/"):
        return ""
    for place in (repository / name, common / name):
        if place.is_file():
            return _text(place)
    packed = common / "packed-refs"
    lines = _text(packed).splitlines() if packed.is_file() else []
    return next((line[: -len(name) - 1] for line in lines if line.endswith(f" {name}")), "")


def _text(file: Path) -> str:
    with file.open("rb") as opened:
        return opened.read(LARGEST).decode(errors="replace").strip()
