"""Tests of rules: what they say, and what they may not say together."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from authz.model import Effect, Mode
from authz.policy.codes import Code
from authz.policy.documents import Guardrail, Policy
from authz.policy.source import Boolean

Faults = Callable[..., list[tuple[str, str]]]
Told = Callable[..., str]


def test_a_rule_has_one_effect(policy: Callable[[str], Policy]) -> None:
    """A rule allows, denies or redirects; the shortest condition is `true`."""
    rules = policy("""
        rules:
          - {name: a, allow: true}
          - {name: b, deny: 'false', mode: shadow}
          - {name: c, redirect: /login, status: 303}
    """).spec.rules

    assert [rule.effect for rule in rules] == [Effect.ALLOW, Effect.DENY, Effect.REDIRECT]
    assert [rule.mode for rule in rules] == [Mode.ENFORCE, Mode.SHADOW, Mode.ENFORCE]
    assert rules[0].allow == "true"
    assert isinstance(rules[0].allow, Boolean)
    assert (rules[2].status, rules[2].when) == (303, None)


def test_what_is_not_written_changes_nothing(policy: Callable[[str], Policy]) -> None:
    """A rule without headers, query and metadata has empty ones, shared by all rules."""
    one, two = policy("rules: [{name: a, allow: x}, {name: b, allow: y}]").spec.rules

    assert one.request_headers is two.request_headers
    assert not one.request_headers.set
    assert not one.query.remove
    assert not one.metadata


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("{name: a}", [(Code.MISSING_KEY, "{")]),
        ("{name: a, alow: true}", [(Code.UNKNOWN_KEY, "alow")]),
        ("{name: a, allow: x, deny: y}", [(Code.TOGETHER, "deny")]),
        ("{name: a, allow: x, deny: y, redirect: /z}", [(Code.TOGETHER, "deny"), (Code.TOGETHER, "redirect")]),
        ("{allow: x}", [(Code.MISSING_KEY, "{")]),
        ("{name: a, allow: }", [(Code.TYPE, "allow")]),
        ("{name: a, allow: ''}", [(Code.TYPE, "''")]),
        ("{name: a, allow: [x]}", [(Code.TYPE, "allow")]),
        ("{name: a, allow: x, when: }", [(Code.TYPE, "when")]),
        ("{name: a, allow: x, status: 200}", [(Code.TOGETHER, "status"), (Code.RANGE, "200")]),
        ("{name: a, allow: x, message: y}", [(Code.TOGETHER, "message")]),
        ("{name: a, allow: x, query: {set: {'': b}}}", [(Code.RANGE, "''")]),
        ("{name: a, deny: x, metadata: {reason: y, team: z}}", [(Code.NAME_TAKEN, "reason")]),
        ("{name: a, deny: x, status: 302}", [(Code.RANGE, "302")]),
        ("{name: a, deny: x, status: 600}", [(Code.RANGE, "600")]),
        ("{name: a, deny: x, status: '403'}", [(Code.TYPE, "'403'")]),
        ("{name: a, deny: x, status: 4_03}", [(Code.TYPE, "4_03")]),
        ("{name: a, deny: x, query: {remove: [b]}}", [(Code.TOGETHER, "query")]),
        ("{name: a, deny: x, request_headers: {set: {b: c}}}", [(Code.TOGETHER, "request_headers")]),
        ("{name: a, redirect: /x, status: 304}", [(Code.RANGE, "304")]),
        ("{name: a, redirect: /x, status: 403}", [(Code.RANGE, "403")]),
        ("{name: a, redirect: login}", [(Code.LOCATION, "login")]),
        ("{name: a, allow: x, mode: shadwo}", [(Code.CHOICE, "shadwo")]),
        ("{name: a, allow: x, metadata: {b: 1}}", [(Code.TYPE, "1")]),
    ],
)
def test_a_rule_that_cannot_mean_what_it_says(faults: Faults, rule: str, expected: list[tuple[str, str]]) -> None:
    """No effect, two effects, empty conditions, and keys or statuses of another effect are faults where they stand."""
    assert faults(f"rules: [{rule}]") == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ("{set: {X-User: a}}", (Code.HEADER, "X-User")),
        ("{append: {host: a}}", (Code.HEADER, "host")),
        ("{remove: [':path']}", (Code.HEADER, "':path'")),
        ("{set: {a: 1}}", (Code.TYPE, "1")),
        ('{set: {a: "b\\nc: d"}}', (Code.HEADER, '"b\\nc: d"')),
        ("{set: {a: b}, append: {a: c}}", (Code.TOGETHER, "a")),
        ("{set: {a: b}, remove: [a]}", (Code.TOGETHER, "a")),
        ("{sett: {a: b}}", (Code.UNKNOWN_KEY, "sett")),
        ("[a]", (Code.TYPE, "request_headers")),
    ],
)
def test_headers_that_cannot_be_written(faults: Faults, headers: str, expected: tuple[str, str]) -> None:
    """H4, E6, E7: header names are lower-case tokens of the author's own, each written in one way only."""
    assert faults(f"rules: [{{name: r, allow: x, request_headers: {headers}}}]") == [expected]


def test_response_headers_cannot_be_removed(told: Told) -> None:
    """Envoy has no way to remove a header of the answer, so the key is refused and not ignored."""
    message = told("rules: [{name: r, deny: x, response_headers: {remove: [server]}}]")

    assert message == 'unknown key "remove" (it belongs in spec.rules.request_headers)'


def test_one_name_is_one_rule(faults: Faults, told: Told) -> None:
    """L7: two rules of one name are a fault at the second, which names the line of the first."""
    assert faults("rules: [{name: a, allow: x}, {name: a, deny: y}]") == [(Code.NAME_TAKEN, "a")]
    assert told("rules:\n  - {name: a, allow: x}\n  - {name: a, deny: y}") == 'rule "a" is already in line 7 ()'


def test_all_faults_of_a_rule_are_told(faults: Faults) -> None:
    """What a rule says against itself does not hide what is wrong with its values."""
    assert faults("rules: [{name: 'a b', allow: x, deny: y, when: '', stauts: 1}]") == [
        (Code.NAME, "'a b'"),
        (Code.TOGETHER, "deny"),
        (Code.TYPE, "''"),
        (Code.UNKNOWN_KEY, "stauts"),
    ]


def test_a_guardrail_never_allows(told: Told, faults: Faults, guardrail: Callable[[str], Guardrail]) -> None:
    """A guardrail denies or redirects; what belongs to allow rules has no meaning in it."""
    assert "a guardrail never allows" in told("rules: [{name: a, allow: true}]", "Guardrail")
    assert faults("rules: [{name: a, deny: x, query: {remove: [b]}}]", "Guardrail") == [(Code.TOGETHER, "query")]
    assert guardrail("rules: [{name: a, deny: x}]").spec.rules[0].effect is Effect.DENY


def test_messages_and_bodies_may_span_lines(policy: Callable[[str], Policy]) -> None:
    """Texts for people are what the author wrote, with their line breaks."""
    (rule,) = policy(
        "rules:\n  - name: a\n    deny: x\n    message: |\n      one\n      two\n    body: <h1>"
    ).spec.rules

    assert (rule.message, rule.body) == ("one\ntwo\n", "<h1>")
