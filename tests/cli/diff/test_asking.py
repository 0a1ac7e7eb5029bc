"""What tests ask, answered by both states."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.cli.diff.asking import Kind, compared
from authz.cli.diff.sources import folder

if TYPE_CHECKING:
    from pathlib import Path

POLICIES = """\
apiVersion: authz/v1
kind: IdentityProvider
metadata: {name: staff}
spec: {peer_certificate: {trust_domains: [cluster.local]}}
---
apiVersion: authz/v1
kind: Policy
metadata: {name: a}
spec:
  match: [{paths: ["/a"]}]
  identity: {providers: [staff], required: false}
  rules:
    - {name: open, allow: 'request.method == "GET"', request_headers: {set: {x-by: a}}}
    - {name: named, allow: identity.authenticated}
"""

TESTS = """\
apiVersion: authz/v1
kind: PolicyTest
metadata: {name: a}
spec:
  identities: {ann: {provider: staff, subject: "spiffe://cluster.local/ann"}}
  requests:
    get: {url: "http://h/a"}
    put: {method: PUT, url: "http://h/a"}
  matrix:
    - {requests: [get, put], expect: {nobody: [allow, deny], ann: [allow, allow]}}
"""


def state(folder_: Path, policies: str, tests: str = TESTS) -> Path:
    """Write one state."""
    folder_.mkdir()
    (folder_ / "a.yaml").write_text(policies)
    if tests:
        (folder_ / "a_test.yaml").write_text(tests)
    return folder_


def changed(tmp_path: Path, before: str, after: str, tests: tuple[str, str] = (TESTS, TESTS)) -> list[tuple[str, ...]]:
    """Return what both states answer otherwise."""
    was = folder(state(tmp_path / "before", before, tests[0]))
    now = folder(state(tmp_path / "after", after, tests[1]))
    return [(one.kind, one.request, one.before, one.after) for one in compared(was, now).changed]


def test_requests_that_get_other_answers_are_found(tmp_path: Path) -> None:
    """Newly allowed and newly denied, by which rule before and after."""
    after = POLICIES.replace('request.method == "GET"', 'request.method == "PUT"')
    assert changed(tmp_path, POLICIES, after) == [
        (Kind.DENIED, "nobody: GET http://h/a", "allow 200 allowed by a/open", "deny 403 no_rule by a"),
        (Kind.ALLOWED, "nobody: PUT http://h/a", "deny 403 no_rule by a", "allow 200 allowed by a/open"),
        (Kind.OTHER, "ann: GET http://h/a", "allow 200 allowed by a/open", "allow 200 allowed by a/named"),
        (Kind.OTHER, "ann: PUT http://h/a", "allow 200 allowed by a/named", "allow 200 allowed by a/open"),
    ]


def test_what_upstreams_get_counts(tmp_path: Path) -> None:
    """Another header for the service behind is another answer."""
    found = changed(tmp_path, POLICIES, POLICIES.replace("x-by: a", "x-by: b"))
    assert [kind for kind, *_ in found] == [Kind.OTHER, Kind.OTHER]


def test_equal_policies_answer_alike(tmp_path: Path) -> None:
    """Decision ids and times are no difference, nor that a test fails."""
    assert changed(tmp_path, POLICIES, POLICIES, (TESTS, TESTS.replace("[allow, deny]", "[deny, deny]"))) == []


def test_tests_that_are_gone_are_still_asked(tmp_path: Path) -> None:
    """To remove a rule together with its tests hides nothing."""
    after = POLICIES.replace('request.method == "GET"', "false")
    assert len(changed(tmp_path, POLICIES, after, (TESTS, ""))) == 2


def test_a_caller_that_only_one_state_knows_is_told(tmp_path: Path) -> None:
    """It is neither left out nor taken for anonymous."""
    after = POLICIES[POLICIES.index("---\n") + 4 :].replace("providers: [staff], ", "")
    found = changed(tmp_path, POLICIES, after)
    assert [(kind, request) for kind, request, *_ in found] == [
        (Kind.UNASKED, "ann: GET http://h/a"), (Kind.UNASKED, "ann: PUT http://h/a"),
    ]  # fmt: skip
