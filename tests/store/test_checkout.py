"""What Git says of folders, with a real Git and without."""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from authz.store import checkout
from authz.store.checkout import described, head
from authz.store.folders import MARKS, read
from authz.store.store import provenance_of

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

AUTHOR = {
    "GIT_AUTHOR_NAME": "Ann",
    "GIT_AUTHOR_EMAIL": "ann@example.com",
    "GIT_AUTHOR_DATE": "2026-11-23T13:00:00+01:00",
}
COMMITTER = {name.replace("AUTHOR", "COMMITTER"): value for name, value in AUTHOR.items()}


def git(folder: Path, *arguments: str) -> str:
    """Run Git and return what it says."""
    plain = {"HOME": str(folder), "PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1", **AUTHOR, **COMMITTER}
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, check=True, text=True, env=plain).stdout.strip()


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    """Make a repository with a folder of policies in it, and one commit."""
    folder = tmp_path / "repository" / "policies"
    folder.mkdir(parents=True)
    git(folder.parent, "init", "--quiet", "--initial-branch=main")
    (folder / "a.yaml").write_text("a")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "one")
    return folder


def test_a_checkout_says_commit_author_and_date(policies: Path) -> None:
    """From any folder of it."""
    one = described(str(policies))
    assert one is not None
    assert (one.commit, one.dirty) == (git(policies, "rev-parse", "HEAD"), False)
    assert (one.author, one.date) == ("Ann <ann@example.com>", "2026-11-23T12:00:00Z")


def test_files_that_no_commit_holds_are_told(policies: Path) -> None:
    """Changed, new or ignored: what is served is not what the commit holds. Elsewhere is elsewhere."""
    dirty = lambda: described(str(policies)).dirty  # type: ignore[union-attr] # noqa: E731
    (policies.parent / "README").write_text("elsewhere")
    assert not dirty()
    (policies / "a.yaml").write_text("b")
    assert dirty()
    git(policies, "checkout", "--quiet", ".")
    assert not dirty()
    (policies / "b.yaml").write_text("b")
    assert dirty()
    (policies.parent / ".gitignore").write_text("b.yaml\n")
    assert dirty()


def test_what_is_written_about_a_folder_makes_it_no_other(policies: Path) -> None:
    """The shell has made the file before `authz provenance` looks, and what is copied is signed before it is served."""
    for name in MARKS:
        (policies / name).write_text("")
    assert not described(str(policies)).dirty  # type: ignore[union-attr]
    (policies / "teams").mkdir()
    (policies / "teams" / "a.yaml").write_text("a")
    assert described(str(policies)).dirty  # type: ignore[union-attr]


@pytest.mark.parametrize("packed", [False, True])
def test_the_commit_is_read_without_git(packed: bool, policies: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container image has none: then the commit is what is known, from loose references and packed ones."""
    if packed:
        git(policies, "pack-refs", "--all")
    commit = git(policies, "rev-parse", "HEAD")
    monkeypatch.setenv("PATH", "/nowhere")
    assert head(str(policies)) == commit
    one = described(str(policies))
    assert one is not None
    assert (one.commit, one.author, one.dirty) == (commit, "", False)


def test_worktrees_and_detached_heads_are_checkouts(policies: Path, tmp_path: Path) -> None:
    """As git-sync makes them."""
    git(policies, "worktree", "add", "--quiet", "--detach", str(tmp_path / "tree"))
    git(policies, "worktree", "add", "--quiet", "-b", "other", str(tmp_path / "branch"))
    commit = git(policies, "rev-parse", "HEAD")
    assert [head(str(tmp_path / tree / "policies")) for tree in ("tree", "branch")] == [commit, commit]


@pytest.mark.parametrize(
    "broken",
    [
        {"HEAD": "ref: refs/heads/none"},
        {"HEAD": "ref: refs/../../../secret"},
        {"HEAD": "ref: refs/heads/a", "refs/heads/a": "ref: refs/heads/a"},
        {"HEAD": "nonsense"},
        {"HEAD": "\x00\xff"},
        {},
    ],
)
def test_a_broken_repository_is_none(broken: Mapping[str, str], tmp_path: Path) -> None:
    """Nothing is said, nothing is raised."""
    (tmp_path / ".git" / "refs" / "heads").mkdir(parents=True)
    (tmp_path.parent / "secret").write_text("0" * 40)
    for name, content in broken.items():
        (tmp_path / ".git" / name).write_text(content)
    assert head(str(tmp_path)) == ""
    assert described(str(tmp_path)) is None


def test_a_repository_runs_nothing(policies: Path) -> None:
    """Whatever it configures: a monitor of its files, a hook."""
    told = policies.parent.parent / "told"
    git(policies, "config", "core.fsmonitor", f"touch {told}; false")
    assert described(str(policies)) is not None
    assert not told.exists()


def test_a_git_that_does_not_answer_is_not_waited_for(
    policies: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Policies come into force all the same."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").write_text("#!/bin/sh\nexec sleep 60\n")
    (tmp_path / "bin" / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    monkeypatch.setattr(checkout, "PATIENCE", 0.05)
    one = described(str(policies))
    assert one is not None
    assert one.author == ""


def test_a_new_commit_of_the_same_files_is_a_new_generation(policies: Path, watch: Callable[..., Any]) -> None:
    """Records name the commit that is checked out, and that is not dirty any more."""
    (policies / "a.yaml").write_text("b")
    watched = watch(policies)
    first = watched.wait(0)
    assert first.commit == git(policies, "rev-parse", "HEAD") + "-dirty"
    git(policies, "commit", "--quiet", "-am", "two")
    second = watched.wait(1)
    assert (second.generation, second.commit) == (2, git(policies, "rev-parse", "HEAD"))


def test_a_volume_carries_its_provenance_along(volume: Callable[..., Any], watch: Callable[..., Any]) -> None:
    """It is swapped with the policies (row L3); one that is nonsense is refused with its place."""
    one = volume("a", {"a.yaml": "1", ".provenance.json": '{"commit": "c1", "author": "Ann"}'})
    watched = watch(one.folder)
    assert watched.wait(0).commit == "c1"
    one.swap({"a.yaml": "2", ".provenance.json": '{"commit": "c2"}'})
    assert watched.wait(1).commit == "c2"
    assert watched.served() == {"a.yaml": "2"}
    one.swap({"a.yaml": "3", ".provenance.json": "{"})
    (fault,) = watched.wait(2).faults
    assert str(fault).startswith(f"{one.folder}/.provenance.json: is no provenance: ")
    assert watched.store.current.commit == "c2"


def test_what_a_folder_says_of_itself_counts_before_its_checkout(policies: Path) -> None:
    """A copy that was checked in knows better where it comes from; a single file says nothing."""
    (policies / ".provenance.json").write_text('{"commit": "elsewhere"}')
    assert [one.commit for one in provenance_of(read([policies])).values()] == ["elsewhere"]
    assert provenance_of(read([policies / "a.yaml"])) == {}
