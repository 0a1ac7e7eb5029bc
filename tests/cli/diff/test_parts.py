"""What documents say, compared."""

from __future__ import annotations

from typing import Any

import pytest

from authz.cli.diff.parts import files
from tests.cli.diff.conftest import document

MATCH = 'match: [{paths: ["/a"]}]'


def policy(rest: str = "") -> str:
    """Return a policy that says more."""
    return document(f"{{{MATCH}{', ' + rest if rest else ''}}}")


def test_how_it_is_written_means_nothing(said: Any) -> None:
    """Comments, order of keys, quotes, defaults that are written out, what is shown and never interpreted."""
    before = policy('rules: [{name: a, allow: "true"}]')
    after = (
        '# more\nkind: Policy\napiVersion: "authz/v1"\n'
        "metadata: {labels: {a: b}, annotations: {owner: me}, name: orders}\n"
        "spec:\n  description: About.\n  mode: enforce\n  rules: [{mode: enforce, allow: true, name: a}]\n"
        "  match:\n    - paths:\n        - /a\n  identity: {required: false}\n"
    )
    assert said(before, after) == []


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        ("", "rules: [{name: a, allow: true}]", ("rules/a", None, "allow: true", "wider")),
        ("", "rules: [{name: a, deny: true}]", ("rules/a", None, "deny: true", "narrower")),
        ("", "rules: [{name: a, deny: true, mode: shadow}]", ("rules/a", None, "deny: true; mode: shadow", "none")),
        ("rules: [{name: a, deny: true}]", "", ("rules/a", "deny: true", None, "wider")),
        (
            "rules: [{name: a, allow: 'request.path == \"/a\"'}]",
            "rules: [{name: a, allow: 'request.path == \"/b\"'}]",
            ("rules/a/allow", 'request.path == "/a"', 'request.path == "/b"', "either"),
        ),
        (
            "rules: [{name: a, deny: true}]",
            "rules: [{name: a, deny: true, status: 404}]",
            ("rules/a/status", None, "404", "none"),
        ),
        (
            "rules: [{name: a, deny: true}]",
            "rules: [{name: a, deny: true, mode: shadow}]",
            ("rules/a/mode", None, "shadow", "wider"),
        ),
        (
            "limits: [{name: a, rate: 3/minute}]",
            "limits: [{name: a, rate: 5/minute}]",
            ("limits/a/rate", "3/minute", "5/minute", "wider"),
        ),
        (
            "limits: [{name: a, rate: 3/minute}]",
            "limits: [{name: a, rate: 100/hour}]",
            ("limits/a/rate", "3/minute", "100/hour", "either"),
        ),
        (
            "limits: [{name: a, rate: 3/minute, key: client.ip}]",
            "limits: [{name: a, rate: 3/minute, key: identity.subject}]",
            ("limits/a/key", "client.ip", "identity.subject", "either"),
        ),
        (
            "limits: [{name: a, rate: 3/minute}]",
            "limits: [{name: a, rate: 3/minute, algorithm: fixed-window}]",
            ("limits/a/algorithm", None, "fixed-window", "either"),
        ),
        ("limits: [{name: a, rate: 3/minute}]", "", ("limits/a", "rate: 3/minute", None, "wider")),
        (
            "validate: [{name: a, max_bytes: 10}]",
            "validate: [{name: a, max_bytes: 20}]",
            ("validate/a/max_bytes", "10", "20", "wider"),
        ),
        ("", "mode: shadow", ("mode", None, "shadow", "either")),
    ],
)
def test_every_part_is_compared_by_its_name(said: Any, before: str, after: str, change: tuple[Any, ...]) -> None:
    """A change says what was, what is, and what it does for certain."""
    assert said(policy(before), policy(after)) == [change]


def test_an_identity_that_is_required_no_more_lets_more_in(said: Any) -> None:
    """Whether it is required is compared as it is in force: providers that are named make it so."""
    assert said(policy("identity: {providers: [a]}"), policy("identity: {providers: [a], required: false}")) == [
        ("identity/required", "true", "false", "wider")
    ]
    assert said(policy("identity: {providers: [a]}"), policy("identity: {providers: [a, b]}")) == [
        ("identity/providers", "a", "a, b", "wider")
    ]


def test_what_a_provider_believes_is_compared(said: Any) -> None:
    """Another issuer may be anybody; one more audience is more."""

    def provider(issuer: str, audiences: str) -> str:
        spec = f"{{jwt: {{issuer: {issuer}, audiences: {audiences}, algorithms: [RS256], jwks: {{file: keys.json}}}}}}"
        return document(spec, kind="IdentityProvider")

    assert said(provider("https://a.example.com/", "[x]"), provider("https://b.example.com/", "[x, y]")) == [
        ("jwt/audiences", "x", "x, y", "wider"),
        ("jwt/issuer", "https://a.example.com/", "https://b.example.com/", "either"),
    ]


def test_a_guardrail_that_goes_lets_more_in(said: Any) -> None:
    """A policy that goes may do either: requests are denied, or others no longer narrowed."""
    guardrail = document("{rules: [{name: a, deny: true}]}", kind="Guardrail", name="g")
    assert said(f"{policy()}---\n{guardrail}", policy()) == [("", "rules/a", None, "wider")]
    assert said(policy(), f"{policy()}---\n{guardrail}") == [("", None, "rules/a", "narrower")]
    assert said(f"{policy()}---\n{guardrail}", guardrail) == [("", "identity, match", None, "either")]
    off = guardrail.replace("spec: {", 'spec: {mode: "off", ')
    assert said(guardrail, off) == [("mode", None, "off", "wider")]


def test_what_is_in_shadow_reaches_no_request(said: Any) -> None:
    """A rule of a document in shadow is told and does nothing."""
    assert said(policy("mode: shadow"), policy("mode: shadow, rules: [{name: a, allow: true}]")) == [
        ("rules/a", None, "allow: true", "none")
    ]


def test_the_order_of_rules_is_told(said: Any) -> None:
    """It says who is named and which status is answered, and lets nobody in."""
    rules = ("{name: a, deny: true}", "{name: b, deny: true}")
    before, after = (policy(f"rules: [{', '.join(each)}]") for each in (rules, rules[::-1]))
    assert said(before, after) == [("order", "rules/a, rules/b", "rules/b, rules/a", "none")]


def test_of_a_long_list_what_came_and_went_is_told(said: Any) -> None:
    """A list of networks is not shown twice."""

    def data(last: str) -> str:
        listed = ", ".join([*(f"10.0.{number}.0/24" for number in range(30)), last])
        return document(f"{{networks: [{listed}]}}", kind="Data", name="risky")

    assert said(data("10.1.0.0/24"), data("10.2.0.0/24")) == [
        ("networks", "31 entries, without 10.1.0.0/24", "31 entries, with 10.2.0.0/24", "either")
    ]


def test_files_beside_documents_are_compared_by_content() -> None:
    """A schema or a file of keys that changed changes what documents mean."""
    found = files({"a.json": b"1", "b.json": b"1", "c.json": b"1"}, {"a.json": b"12", "b.json": b"1", "d.json": b"1"})
    assert [(one.part, one.before, one.after) for one in found] == [
        ("a.json", "1 byte", "2 bytes"),
        ("c.json", "1 byte", None),
        ("d.json", None, "1 byte"),
    ]
