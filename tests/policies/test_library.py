"""Every policy of the library is whole: it loads alone and beside all others, and its tests reach all of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

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
def test_a_policy_loads_alone_and_does_what_its_tests_say(folder: Path) -> None:
    """Who copies a folder has something that works; each rule settles something in its tests."""
    policies = served(folder)
    results = tried(folder, policies)
    assert not wrong(results)
    answers = [finding.answer for result in results for finding in result.findings]
    reached = {part for answer in answers for part in (*answer.rules, *answer.limits, *answer.would_deny)}
    for document in policies.documents:
        assert {f"{document.name}/{rule.name}" for rule in document.rules} <= reached
        if document.mode is not None:
            assert document.description, f"{document.name} does not say what it is for"


def test_all_policies_load_together_and_leave_each_other_alone() -> None:
    """`authz check policies/` and `authz test policies/` are fine: names are unique, and each governs its own host."""
    assert not wrong(tried(POLICIES, served(POLICIES)))


def test_the_readme_has_a_paragraph_for_each() -> None:
    """What is there can be found, and what can be found is there."""
    listed = re.findall(r"^\*\*\[([a-z-]+)\]\(\1/\)\*\*\. \w", (LIBRARY / "README.md").read_text(), re.MULTILINE)
    assert sorted(listed) == [folder.name for folder in FOLDERS]
