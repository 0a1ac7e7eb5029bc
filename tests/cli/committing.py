"""Git, run as somebody."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def repository(folder: Path, tests: str) -> Path:
    """Make a folder of policies a repository, with these tests of `orders`, all committed."""
    (folder / "orders_test.yaml").write_text(tests)
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "Orders <b>")
    return folder


def git(folder: Path, *arguments: str) -> None:
    """Run Git in a folder as Ada."""
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    subprocess.run([shutil.which("git") or "git", "-C", str(folder), *who, *arguments], check=True, capture_output=True)
