"""Every policy of the library is whole: it loads alone and beside all others, and its tests reach all of it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from authz.cli.testing.files import batches
from authz.cli.testing.running import ran
from authz.policy import PolicySet
from authz.server.deciding import compiler
from authz.store import read
from authz.testing import Result, Verdict, read_suites, run

POLICIES = Path(__file__).parents[2] / "policies"
LIBRARY = POLICIES / "library"
FOLDERS = sorted(path for path in LIBRARY.iterdir() if path.is_dir())


def served(folder: Path) -> PolicySet:
    """Return the policies of a folder, read as the service reads them."""
    reading = read([folder])
    assert not reading.faults
    return compiler("auto").compile(reading.files)


def tried(folder: Path, policies: PolicySet) -> tuple[Result, ...]:
    """Run the tests of a folder."""
    return run(read_suites({str(path): path.read_bytes() for path in sorted(folder.rglob("*_test.yaml"))}), policies)


def wrong(results: tuple[Result, ...]) -> list[str]:
    """Return what is not as expected."""
    return [f"{one.title}: {one.findings or one.why}" for one in results if one.verdict is not Verdict.PASSED]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_policy_loads_alone_and_is_wholly_covered(folder: Path) -> None:
    """Who copies a folder has something that works, and tests that reach every rule, limit and condition both ways."""
    done = ran(batches([folder], []), "", covering=True)
    assert not wrong(done.results)
    assert done.coverage is not None
    assert not [str(fault) for fault in done.coverage.missing()]
    for document in served(folder).documents:
        assert document.description or document.mode is None, f"{document.name} does not say what it is for"


def test_all_policies_load_together_and_leave_each_other_alone() -> None:
    """`authz check policies/` and `authz test policies/` are fine: names are unique, and each governs its own host."""
    assert not wrong(tried(POLICIES, served(POLICIES)))


@pytest.mark.slow
def test_a_real_envoy_shows_what_tests_in_process_show() -> None:
    """Bodies that are signed, pages, quotas: what arrives through Envoy is what the policies were written for."""
    command = [sys.executable, "-m", "authz", "test", "--through-envoy", str(LIBRARY)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=110)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert re.search(r"^\d{3} passed", ran.stdout + ran.stderr, re.MULTILINE)


def test_the_readme_has_a_paragraph_for_each() -> None:
    """What is there can be found, and what can be found is there."""
    listed = re.findall(r"^\*\*\[([a-z-]+)\]\(\1/\)\*\*\. \w", (LIBRARY / "README.md").read_text(), re.MULTILINE)
    assert sorted(listed) == [folder.name for folder in FOLDERS]
