"""Git, asked about files: one question, its answer as text."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from authz.errors import Unavailable

if TYPE_CHECKING:
    from pathlib import Path


def git(folder: Path, *arguments: str) -> bytes:
    """Return what Git answers in a folder; raise `Unavailable` where there is no Git, no repository, or it refuses."""
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        raise Unavailable("git is not installed") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip() or f"git {arguments[0]} failed"
        raise Unavailable(f"git, in {folder}: {said}")
    return done.stdout


def commit_of(folder: Path, revision: str) -> str:
    """Return the commit that a revision names; raise `Unavailable` where there is none."""
    if revision.startswith("-"):
        raise Unavailable(f"{revision!r} is no revision")
    try:
        return git(folder, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}").decode().strip()
    except Unavailable as refused:
        if "failed" not in str(refused):
            raise
        raise Unavailable(f"git, in {folder}: no revision {revision!r}") from None
