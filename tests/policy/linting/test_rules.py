"""Tests of warnings about rules."""

from __future__ import annotations

from typing import Any

import pytest

from tests.policy.linting.conftest import document


def rules(*written: str, head: str = "") -> str:
    """Return a policy with rules; each is its keys after the name, which is a, b, c."""
    listed = (f"  - {{name: {name}, {keys}}}" for name, keys in zip("abc", written, strict=False))
    return document(head + "rules:\n" + "\n".join(listed))


@pytest.mark.parametrize(
    ("written", "under", "why"),
    [
        (["deny: source.port == 1", "deny: 'source.port  ==  1 '"], "b", '"a" has said the same'),
        (["deny: true", "deny: source.port == 1"], "b", '"a" always holds'),
        (["allow: source.port == 1", "deny: source.port == 1"], "a", '"b" denies what it allows'),
        (["deny: true", "allow: source.port == 1"], "b", '"a" denies what it allows'),
        (["allow: source.port == 1", "allow: true"], "a", '"b" allows the same'),
        (["allow: source.port == 1", "allow: source.port == 1"], "b", '"a" allows the same'),
        (["deny: false"], "a", "its condition is false"),
        (["allow: true, when: 'false'", "deny: source.port == 2"], "a", "its condition is false"),
        (["redirect: /in, when: source.port == 1", "redirect: /out, when: source.port == 1"], "b", "has said the same"),
        (["deny: source.port == 1, when: source.port == 2", "deny: source.port == 1, when: source.port == 2"], "b", ""),
    ],
)
def test_a_rule_that_changes_nothing(warn: Any, written: list[str], under: str, why: str) -> None:
    """AZ402: another one has said it, or nobody can hear it; the warning says which one."""
    ((code, _, _, told, message, _),) = warn(rules(*written))
    assert (code, told) == ("AZ402", under)
    assert why in message


@pytest.mark.parametrize(
    "written",
    [
        ["allow: source.port == 1, request_headers: {set: {x-a: b}}", "allow: true"],
        ["deny: source.port == 1", "deny: source.port == 2"],
        ["deny: source.port == 1", "redirect: /in, when: source.port == 1"],
        ["deny: 'true', mode: shadow", "deny: source.port == 1"],
        ["allow: source.port == 1", "deny: source.port == 1, mode: shadow"],
        ["allow: source.port == 1, when: source.port == 2", "allow: source.port == 2"],
        ['deny: source.ip == "true"', 'allow: source.ip == "false"'],
    ],
)
def test_a_rule_that_does_something(warn: Any, written: list[str]) -> None:
    """What a rule that holds sends on, a redirect before callers are known, and what is in shadow, are their own."""
    assert warn(rules(*written)) == []


def test_everybody_on_every_path(warn: Any) -> None:
    """AZ403: a policy that is open wherever no other one governs, however that is written."""
    for match in ('[{paths: ["/**"]}]', "[{methods: [GET]}]", '[{paths: ["/a"]}, {paths: ["/**"]}]'):
        ((code, _, _, under, _, hint),) = warn(rules("allow: true", head=f"match: {match}\n"))
        assert (code, under) == ("AZ403", "a")
        assert "paths that are public" in hint


@pytest.mark.parametrize(
    "head",
    [
        'match: [{paths: ["/public/**"]}]\n',
        'match: [{paths: ["/**"], hosts: [www.example.com]}]\n',
        'match: [{paths: ["/**"]}]\nidentity: {providers: [staff]}\n',
        'match: [{paths: ["/**"]}]\nmode: "off"\n',
    ],
)
def test_not_everybody_or_not_everywhere(warn: Any, head: str) -> None:
    """A host that is public as a whole, and a policy for whoever is known, are meant."""
    assert warn(rules("allow: true", head=head)) == []


def test_guardrails_are_looked_at_too(warn: Any) -> None:
    """AZ402: a deny rule that another one makes needless."""
    guardrail = document("rules: [{name: a, deny: true}, {name: b, deny: true}]", kind="Guardrail")
    assert [(one.code, one.under) for one in warn(guardrail)] == [("AZ402", "b")]
