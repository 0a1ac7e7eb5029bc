"""Files of tests, read; names looked up in policies."""

from __future__ import annotations

import pytest

from authz.errors import PolicyFaults
from authz.policy import PolicySet
from authz.testing import check, read_suites
from tests.testing.conftest import HEAD

CASE = "  cases: [{name: one, request: open, expect: %s}]\n"


def test_tests_are_read_in_order_and_others_passed_over() -> None:
    """Files are told apart by their names; what is no test is not looked at."""
    other = (HEAD + CASE % "allow").replace("name: t}", "name: u}")
    files = {"b_test.yaml": HEAD + CASE % "allow", "a_test.yml": other, "policy.yaml": "no: document"}
    suites = read_suites({name: text.encode() for name, text in files.items()})
    assert [(suite.file, suite.name) for suite in suites] == [("a_test.yml", "u"), ("b_test.yaml", "t")]


def test_every_fault_of_every_file_is_told() -> None:
    """Faults have their places; of two documents of one name the second is at fault."""
    files = {"a_test.yaml": HEAD + CASE % "allow", "b_test.yaml": HEAD + CASE % "allow", "c_test.yaml": "kind: Policy"}
    with pytest.raises(PolicyFaults) as found:
        read_suites({name: text.encode() for name, text in files.items()})
    told = [str(fault).splitlines()[0] for fault in found.value.faults]
    assert told == [
        'b_test.yaml:4:18: AZ109 PolicyTest "t" is already in a_test.yaml:4',
        'c_test.yaml:1:1: AZ101 the document has no "apiVersion" (write apiVersion: authz/v1)',
        "c_test.yaml:1:7: AZ121 a Policy is served, and belongs in a file whose name does not end in _test.yaml",
    ]


@pytest.mark.parametrize(
    ("expect", "told"),
    [
        ("{rule: orders/admin}", 'no rule is called "orders/admin" (did you mean "orders/admins"?)'),
        ("{policy: orderz}", 'no policy or guardrail is called "orderz" (did you mean "orders"?)'),
        (
            "{limit: orders/admins}",
            'no limit is called "orders/admins" (the policies under test have none of this name)',
        ),
        ("{would_deny: [orders/nxt]}", 'no document or rule is called "orders/nxt" (did you mean "orders/next"?)'),
        ("{would_limit: [a/b]}", 'no limit is called "a/b" (the policies under test have none of this name)'),
        ("{errors: [orders/bdy]}", 'no rule, validation or limit is called "orders/bdy" (did you mean "orders/body"?)'),
    ],
)
def test_what_the_policies_do_not_have_is_a_fault(policies: PolicySet, expect: str, told: str) -> None:
    """Each name is looked up where it would have to be."""
    suites = read_suites({"t_test.yaml": (HEAD + CASE % expect).encode()})
    (fault,) = check(suites, policies)
    assert f"{fault.message} ({fault.hint})" == told


def test_providers_and_keys_are_looked_up(policies: PolicySet) -> None:
    """A caller of a provider that is not there, or with a key that nobody has, could only be misjudged."""
    text = (
        (HEAD + CASE % "allow")
        .replace("staff, subject: alice", "stuff, subject: alice")
        .replace("acme-2026", "acme-27")
    )
    told = [fault.message for fault in check(read_suites({"t_test.yaml": text.encode()}), policies)]
    assert told == ['no identity provider is called "stuff"', 'no key or user of "partner" is called "acme-27"']
