"""The page about validation: its policies are served, its tests pass, and callers are told what it shows."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from authz.model import Reason
from authz.policy import PolicySet
from authz.policy.documents.validation import Validation
from authz.server.deciding import compiler
from authz.testing import Verdict, read_suites, run

PAGE = (Path(__file__).parents[2] / "authz/content/docs/validation.md").read_text()
POLICIES, API, TESTS = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
(TOLD,) = re.findall(r"^```json\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture(name="policies", scope="module")
def _policies() -> PolicySet:
    """Return the policies of the page."""
    return compiler("auto").compile({"p.yaml": POLICIES.encode(), "api.yaml": API.encode()})


def test_every_example_is_so(policies: PolicySet) -> None:
    """The tests of the page pass."""
    results = run(read_suites({"page_test.yaml": TESTS.encode()}), policies)

    assert not [(result.title, failure.differences) for result in results for failure in result.failures]
    assert {result.verdict for result in results} == {Verdict.PASSED}


def test_callers_are_told_what_the_page_shows(policies: PolicySet) -> None:
    """The problem document of the page is the one that comes."""
    request = "{method: POST, url: 'https://api.example.com/orders', headers: {x-tenant: acme}, json: {count: 0}}"
    expected = json.dumps({"reason": "invalid_body", "status": 400, "json": json.loads(TOLD)})
    suite = (
        "{apiVersion: authz/v1, kind: PolicyTest, metadata: {name: t}, spec: "
        f"{{cases: [{{name: told, request: {request}, expect: {expected}}}]}}}}"
    )
    results = run(read_suites({"page_test.yaml": suite.encode()}), policies)

    assert not [failure.differences for result in results for failure in result.failures]


def test_every_key_is_explained() -> None:
    """Each key of a validation stands in the page, and each reason it names exists."""
    keys = {field.alias or name for name, field in Validation.model_fields.items()}

    assert {key for key in keys if f"`{key}`" not in PAGE} <= {"name"}
    named = set(re.findall(r"`((?:invalid|unsupported|body|no|un)_[a-z_]+|unauthenticated)`", PAGE))
    assert named <= {reason.value for reason in Reason}
