"""`authz fmt`."""

import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from authz.cli.output import Exit

UNTIDY = """\
kind: Policy
apiVersion: authz/v1
metadata: {name: orders}
spec:
    match: [{paths: ["/orders"]}]
"""
TIDY = "apiVersion: authz/v1\nkind: Policy\nmetadata: {name: orders}\nspec:\n  match: [{paths: [/orders]}]\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder with something to mend, something that is fine, data and tests."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text(UNTIDY)
    (tmp_path / "b.yaml").write_text(TIDY.replace("orders", "b"))
    (tmp_path / "data.yaml").write_text("b:   1\na:   2\n")
    (tmp_path / "a_test.yaml").write_text(
        "apiVersion: authz/v1\nkind: PolicyTest\nmetadata:   {name: t}\n"
        'spec: {cases: [{name: c, request: {url: "https://h/"}, expect: deny}]}\n\n'
    )
    return tmp_path


def test_files_are_written_anew(run: Callable[..., Any], folder: Path) -> None:
    """Policies and tests; files of data are no documents, and what is fine is not touched."""
    before = (folder / "b.yaml").stat().st_mtime_ns
    ran = run("fmt", ".")
    assert (ran.status, ran.out) == (Exit.FINE, "")
    assert ran.err == "a.yaml: written anew\na_test.yaml: written anew\n3 files read, 2 written anew\n"
    assert (folder / "a.yaml").read_text() == TIDY
    assert (folder / "data.yaml").read_text() == "b:   1\na:   2\n"
    assert (folder / "b.yaml").stat().st_mtime_ns == before
    assert run("fmt", "--check", ".").status == Exit.FINE


def test_a_write_that_fails_leaves_the_file_as_it_was(folder: Path) -> None:
    """A disk that is full, or a process that is stopped, costs nobody a policy; nothing is left beside it."""
    (folder / "a.yaml").chmod(0o640)
    (folder / "link.yaml").symlink_to("a.yaml")
    names = sorted(path.name for path in folder.iterdir())
    command = [sys.executable, "-m", "authz", "fmt", "link.yaml"]

    def bounded(size: int) -> subprocess.CompletedProcess[str]:
        limited = f"ulimit -f {size}; exec {shlex.join(command)}"
        return subprocess.run(["/bin/sh", "-c", limited], cwd=folder, capture_output=True, text=True, check=False)

    full = bounded(0)
    assert (full.returncode, full.stderr) == (Exit.UNEXPECTED, "link.yaml: can't be written: file too large\n")
    assert (folder / "a.yaml").read_text() == UNTIDY
    assert bounded(1000).returncode == 0
    assert (folder / "link.yaml").is_symlink()
    assert ((folder / "a.yaml").read_text(), (folder / "a.yaml").stat().st_mode & 0o777) == (TIDY, 0o640)
    assert sorted(path.name for path in folder.iterdir()) == names


def test_check_changes_nothing(run: Callable[..., Any], folder: Path) -> None:
    """A pipeline is told which files, and exits 3."""
    ran = run("fmt", "--check", "a.yaml")
    assert (ran.status, ran.err) == (
        Exit.POLICIES, "a.yaml: would be written anew\n1 file read, 1 would be written anew\n",
    )  # fmt: skip
    assert (folder / "a.yaml").read_text() == UNTIDY


def test_diff_shows_what_would_change(run: Callable[..., Any], folder: Path) -> None:
    """As `diff -u` does; alone it exits 0, with --check 3."""
    ran = run("fmt", "--diff", "a.yaml")
    assert ran.status == Exit.FINE
    assert ran.out.splitlines()[:3] == ["--- a.yaml", "+++ a.yaml", "@@ -1,5 +1,5 @@"]
    assert "+  match: [{paths: [/orders]}]" in ran.out.splitlines()
    assert run("fmt", "--diff", "--check", "a.yaml").status == Exit.POLICIES
    assert (folder / "a.yaml").read_text() == UNTIDY


def test_a_file_with_a_fault_is_left_as_it_is(run: Callable[..., Any], folder: Path) -> None:
    """What cannot be read cannot be said to stay what it is; the others are written all the same."""
    (folder / "bad.yaml").write_text(UNTIDY.replace("match", "mtch"))
    ran = run("fmt", ".")
    assert ran.status == Exit.POLICIES
    assert "bad.yaml: has a fault, and is left as it is: authz check shows it" in ran.err.splitlines()
    assert (folder / "bad.yaml").read_text() == UNTIDY.replace("match", "mtch")
    assert (folder / "a.yaml").read_text() == TIDY
