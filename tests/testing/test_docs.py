"""The page about tests: every example is run, every key has one."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from authz.identity.api_keys import digest
from authz.policy import PolicySet
from authz.policy.schema import schema
from authz.server.deciding import compiler
from authz.testing import Verdict, read_suites, run

PAGE = (Path(__file__).parents[2] / "authz/testing/docs/tests.md").read_text()
POLICIES, DOCUMENT, *PARTS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
KEYS = f"[{{id: acme-2026, sha256: {digest(b'x')}, scopes: [orders:read], roles: [editor]}}]"


def joined(part: str) -> str:
    """Return the document of the page with a part of a spec in the place of its cases, fixtures beside its own."""
    head = DOCUMENT[: DOCUMENT.index("  cases:")]
    for key, lines in re.findall(r"^(\w+):\n((?:  .*\n)+)", part, re.MULTILINE):
        lines_ = textwrap.indent(lines, "  ")
        if f"\n  {key}:\n" in head:
            head = head.replace(f"\n  {key}:\n", f"\n  {key}:\n{lines_}")
        else:
            head += f"  {key}:\n{lines_}"
    return head


@pytest.fixture(scope="module")
def policies() -> PolicySet:
    """Return the policies of the page."""
    return compiler("auto").compile({"p.yaml": POLICIES.encode(), "partner-keys.yaml": KEYS.encode()})


@pytest.mark.parametrize("document", [DOCUMENT, *map(joined, PARTS)], ids=lambda text: f"{len(text)}")
def test_every_example_passes(document: str, policies: PolicySet) -> None:
    """What the page shows is so."""
    results = run(read_suites({"page_test.yaml": document.encode()}), policies)
    failures = [(result.title, failure.differences) for result in results for failure in result.failures]
    assert not failures
    assert {result.verdict for result in results} == {Verdict.PASSED}


def test_every_key_has_an_example() -> None:
    """Each key of the schema stands in some example of the page, or is explained in its text."""
    shown = set(re.findall(r"[\w-]+(?=:)", "".join((DOCUMENT, *PARTS))))
    keys = {key for part in schema("PolicyTest")["$defs"].values() for key in part.get("properties", {})}
    data = {"networks", "values", "file", "secret", "value", "until", "labels", "annotations"}  # of other documents
    assert not keys - shown - data
