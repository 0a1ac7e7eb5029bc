"""Documents of tests: what they may say, and every fault at its place."""

from __future__ import annotations

import textwrap
from typing import cast

import jsonschema
import pytest

from authz.model import Effect, Reason
from authz.policy.documents.grammar import plain
from authz.policy.documents.tests import PolicyTest
from authz.policy.reading import TESTS, read
from authz.policy.schema import schema
from authz.policy.yaml import compose

HEAD = "apiVersion: authz/v1\nkind: PolicyTest\nmetadata: {name: t}\nspec:\n"
FIXTURES = """
identities: {alice: {provider: staff, subject: alice}}
requests: {read: {url: "https://a.example.com/"}, place: {like: read, method: POST}}
"""

CONTRACT = b"""
apiVersion: authz/v1
kind: PolicyTest
metadata: {name: orders}
spec:
  now: 2026-11-23T12:00:00Z
  identities:
    alice: {provider: staff, subject: alice, claims: {tenant: acme, scope: "orders:read orders:write"}}
  requests:
    read: {method: GET, url: https://api.example.com/v1/orders/7, headers: {x-tenant: acme}}
  cases:
    - name: alice reads her order
      request: read
      as: alice
      expect: {decision: allow, rule: orders/readers, request_headers: {x-subject: alice}}
    - name: the fourth order in a minute waits
      request: {method: POST, url: https://api.example.com/v1/orders, headers: {x-tenant: acme}, json: {sku: a}}
      as: alice
      repeat: 4
      every: 5s
      expect: {decision: deny, status: 429, reason: rate_limited, limit: orders/per-subject, retry_after: 45s}
"""


def content(spec: str) -> bytes:
    """Return a document with these lines behind the usual fixtures."""
    return (HEAD + textwrap.indent(FIXTURES + textwrap.dedent(spec), "  ")).encode()


def faults(spec: str) -> list[tuple[str, str]]:
    """Return the faults of a document: message with hint, and what the caret underlines."""
    reading = read("t_test.yaml", content(spec), TESTS)
    assert bool(reading.documents) != bool(reading.faults), "a document is whole, or it has faults"
    return [
        (f"{one.message} ({one.hint})" if one.hint else one.message, one.text[one.column - 1 :][: one.length])
        for one in reading.faults
    ]


def whole(text: bytes) -> PolicyTest:
    """Return a document without faults."""
    reading = read("t_test.yaml", text, TESTS)
    assert not reading.faults, "\n".join(map(str, reading.faults))
    return cast("PolicyTest", reading.documents[0])


def test_the_contract_s_example_is_read() -> None:
    """What POLICY.md shows in section 7 is a document of tests."""
    spec = whole(CONTRACT).spec
    assert [str(case.name) for case in spec.cases] == ["alice reads her order", "the fourth order in a minute waits"]
    assert spec.cases[1].expect is not None
    assert (spec.cases[1].repeat, spec.cases[1].every, spec.cases[1].expect.retry_after) == (4, 5.0, 45.0)


def test_the_schema_accepts_what_is_read() -> None:
    """The schema for editors takes the contract's example, the short forms, and no key with a letter too many."""
    validator = jsonschema.Draft202012Validator(schema("PolicyTest"))
    jsonschema.Draft202012Validator.check_schema(validator.schema)
    short = content("""
        cases: [{name: one, request: read, expect: allow}, {name: two, steps: [{request: read, expect: 403}]}]
        matrix: [{requests: [read, place], expect: {alice: [allow, no_rule], nobody: [401, deny]}}]
    """)
    for text in (CONTRACT, short):
        whole(text)
        validator.validate(plain(compose("t_test.yaml", text).documents[0]))
    misspelled = CONTRACT.replace(b"retry_after", b"retry_afters")
    assert not validator.is_valid(plain(compose("t_test.yaml", misspelled).documents[0]))


def test_a_word_is_an_expectation() -> None:
    """A decision, a reason or a status: cases and tables read alike."""
    spec = whole(
        content("cases: [{name: a, request: read, expect: redirect}, {name: b, request: read, expect: 429}]")
    ).spec
    first, second = (case.expect for case in spec.cases)
    assert first is not None
    assert second is not None
    assert (first.decision, second.status) == (Effect.REDIRECT, 429)
    for reason in Reason:
        (case,) = whole(content(f"cases: [{{name: a, request: read, expect: {reason}}}]")).spec.cases
        assert case.expect is not None
        assert case.expect.reason is reason


@pytest.mark.parametrize(
    ("spec", "told", "pointed"),
    [
        (
            "cases: [{name: a, request: raed, expect: allow}]",
            'no request is called "raed" here (did you mean "read"?)',
            "raed",
        ),
        (
            "cases: [{name: a, request: read, as: bob, expect: allow}]",
            'no identity is called "bob" here (name it in identities)',
            "bob",
        ),
        (
            "cases: [{name: a, request: {like: raed}, expect: allow}]",
            'no request is called "raed" here (did you mean "read"?)',
            "raed",
        ),
        (
            "cases: [{name: a, steps: [{request: raed, expect: allow}]}]",
            'no request is called "raed" here (did you mean "read"?)',
            "raed",
        ),
        ("cases: [{name: a, request: read}]", 'the case has no "expect"', "a"),
        ("cases: [{name: a, expect: allow}]", 'the case has no "request"', "a"),
        (
            "cases: [{name: a, repeat: 2, steps: [{request: read, expect: allow}]}]",
            'the case has steps, and "repeat" belongs to one of them',
            "repeat",
        ),
        (
            "cases: [{name: a, request: read, expect: {}}]",
            "the expectation says nothing (write allow, deny or a status)",
            "{",
        ),
        (
            "cases: [{name: a, request: read, expect: alow}]",
            '"alow" is no decision, reason or status (did you mean "allow"?)',
            "alow",
        ),
        ("cases: [{name: a, request: read, expect: 42}]", "42 is out of range (from 100 to 599)", "42"),
        (
            "cases: [{name: a, request: read, expect: {rule: readers}}]",
            '"readers" names no part of a document (write "document/rule")',
            "readers",
        ),
        (
            "cases: [{name: a, request: read, expect: {rules: a/b}}]",
            'unknown key "rules" (did you mean "rule"?)',
            "rules",
        ),
        (
            "cases: [{name: a, request: {method: GET}, expect: allow}]",
            "the request has no url (say url, or like: a named request)",
            "{",
        ),
        (
            "cases: [{name: a, request: {url: /x}, expect: allow}]",
            '"/x" is no URL to ask (begin with "https://" and a host)',
            "/x",
        ),
        (
            "cases: [{name: a, request: {like: read, json: 1, body: x}, expect: allow}]",
            "a request has one body, and this one already says json",
            "body",
        ),
        (
            "cases: [{name: a, request: {like: read, headers: {X-A: b}}, expect: allow}]",
            '"X-A" is not a header name in lower case',
            "X-A",
        ),
        (
            "cases: [{name: a, request: read, faults: {redis: slow}, expect: allow}]",
            'expected down, not "slow"',
            "slow",
        ),
        (
            "matrix: [{requests: [read], expect: {alice: [allow, deny]}}]",
            'the row of "alice" has 2 cells for 1 request (a table says something in every cell)',
            "alice",
        ),
        ("matrix: [{requests: [read], expect: {}}]", "the table has no rows", "{"),
        (
            "matrix: [{requests: [raed], expect: {alice: [allow]}}]",
            'no request is called "raed" here (did you mean "read"?)',
            "raed",
        ),
        (
            "matrix: [{requests: [read], expect: {bob: [allow]}}]",
            'no identity is called "bob" here (name it in identities)',
            "bob",
        ),
        ("description: nothing", "nothing is tested (say cases or matrix)", "i"),
        ("cases: [{name: a, steps: []}]", "the list is empty (leave the key out, or fill it)", "steps"),
    ],
)
def test_what_would_test_nothing_is_a_fault(spec: str, told: str, pointed: str) -> None:
    """L5: each fault is told once, with a caret and a way out."""
    assert faults(spec) == [(told, pointed)]


def test_names_are_given_once() -> None:
    """A second case of one name, a caller called nobody, and requests that are like each other are faults."""
    twice = "cases: [{name: a, request: read, expect: allow}, {name: a, request: read, expect: deny}]"
    assert faults(twice) == [('case "a" is already in line 8', "a")]
    text = content("cases: [{name: a, request: read, expect: allow}]").decode()
    nobody = text.replace("{alice: {", "{nobody: {")
    assert [one.message for one in read("t_test.yaml", nobody.encode(), TESTS).faults] == [
        '"nobody" is whoever presents nothing'
    ]
    circle = text.replace('read: {url: "https://a.example.com/"}', "read: {like: place}")
    assert [one.message for one in read("t_test.yaml", circle.encode(), TESTS).faults] == [
        'the request "read" is like itself: read -> place -> read',
        'the request "place" is like itself: place -> read -> place',
    ]


def test_a_caller_is_somebody() -> None:
    """The entry of a key says whose it is; without one, a subject or claims do."""
    text = content("cases: [{name: a, request: read, expect: allow}]").decode()
    double = text.replace("subject: alice", "subject: alice, key_id: k")
    assert [one.message for one in read("t_test.yaml", double.encode(), TESTS).faults] == [
        'the entry of the key says "subject", and this says it again'
    ]
    empty = text.replace(", subject: alice", "")
    assert [one.message for one in read("t_test.yaml", empty.encode(), TESTS).faults] == ["the caller has no subject"]


def test_a_file_holds_tests_or_policies() -> None:
    """L9: a test is never served, and a policy is never a test."""
    assert [one.message for one in read("p.yaml", content("cases: []")).faults] == [
        "a PolicyTest belongs in a file whose name ends in _test.yaml"
    ]
