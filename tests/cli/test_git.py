"""Git, asked about files."""

from pathlib import Path

import pytest

from authz.cli.git import commit_of, git
from authz.errors import Unavailable


def test_what_git_refuses_is_said_with_the_folder(tmp_path: Path) -> None:
    """Outside a repository there is nothing to ask."""
    with pytest.raises(Unavailable, match=f"git, in {tmp_path}: "):
        git(tmp_path, "log")


def test_a_machine_without_git_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no traceback."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="git is not installed"):
        git(tmp_path, "log")


def test_an_option_is_no_revision(tmp_path: Path) -> None:
    """Nothing that begins with a hyphen reaches Git."""
    with pytest.raises(Unavailable, match="is no revision"):
        commit_of(tmp_path, "--output=x")
