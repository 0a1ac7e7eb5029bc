"""Lines that changed since a revision."""

from __future__ import annotations

from pathlib import Path

import pytest

from authz.cli.testing.changes import changed
from authz.errors import Unavailable
from tests.cli.committing import git


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Make a repository with one commit and changes behind it."""
    git(tmp_path, "init", "-q")
    (tmp_path / "a.yaml").write_text("1\n2\n3\n4\n")
    (tmp_path / "same.yaml").write_text("1\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    (tmp_path / "a.yaml").write_text("1\ntwo\n3\n4\n5\n6\n")
    (tmp_path / "new.yaml").write_text("1\n2\n")
    return tmp_path


def test_changed_and_new_lines_are_found(repository: Path) -> None:
    """Lines that are others or were added, all of a file that is not in Git yet, none of one that is the same."""
    files = [f"{repository}/./{name}" for name in ("a.yaml", "new.yaml", "same.yaml")]
    lines = changed(files, "HEAD")
    assert [set(lines[file]) - {3} for file in files] == [{2, 5, 6}, {1, 2}, set()]


@pytest.mark.parametrize("revision", ["nope", "--output=x", "HEAD~7"])
def test_what_is_no_revision_is_said_to_be_none(repository: Path, revision: str) -> None:
    """A revision is never taken for an option of Git."""
    with pytest.raises(Unavailable, match="revision"):
        changed([str(repository / "a.yaml")], revision)


def test_without_a_repository_nothing_changed_can_be_told(tmp_path: Path) -> None:
    """Git says why."""
    (tmp_path / "a.yaml").write_text("")
    with pytest.raises(Unavailable, match="git, in "):
        changed([str(tmp_path / "a.yaml")], "HEAD")
