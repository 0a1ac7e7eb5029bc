"""What stood in the way of a request is named in the order in which it is asked, each with what it lacked."""

from __future__ import annotations

from typing import Any

import pytest

from authz.model import STATUS, Decision, Effect, LimitOutcome, Mode, Reason
from authz.policy.explained import Missing, Said, ShownDocument, ShownLimit, ShownRule
from authz.policy.ways import ways


def denied(reason: Reason, policy: str | None = None) -> Decision:
    """Return a denial for a reason."""
    return Decision(effect=Effect.DENY, reason=reason, status=STATUS[reason], policy=policy)


def document(name: str = "orders", **words: Any) -> ShownDocument:
    """Return a policy that is enforced and governs everything."""
    given = {"kind": "Policy", "mode": Mode.ENFORCE, "file": "p.yaml", "line": 1, "route": "/**", "outcome": "none"}
    return ShownDocument(name=name, **given | words)


def rule(name: str, effect: Effect, said: Said, mode: Mode = Mode.ENFORCE) -> ShownRule:
    """Return a rule that lacks one thing, named after it."""
    return ShownRule(name=name, effect=effect, mode=mode, said=said, missing=(Missing(text=f"{name} otherwise"),))


READERS = rule("readers", Effect.ALLOW, Said.HOLDS)


@pytest.mark.parametrize("outcome", [LimitOutcome.OVER, LimitOutcome.DEGRADED_DENY])
def test_a_limit_that_refused_is_named_with_what_is_left(outcome: LimitOutcome) -> None:
    """And when it is whole again; one that admitted stood in nobody's way."""
    limits = (
        ShownLimit(name="orders/each", applies=True, outcome=outcome, remaining=0, reset=12.0),
        ShownLimit(name="orders/all", applies=True, outcome=LimitOutcome.OK, remaining=7, reset=1.0),
        ShownLimit(name="orders/tried", applies=True, outcome=LimitOutcome.WOULD_LIMIT, remaining=0, reset=1.0),
    )
    (way,) = ways([document(rules=(READERS,), limits=limits)], denied(Reason.RATE_LIMITED))
    assert way.missing == (Missing(text="limit orders/each", found="0 left, whole again in 12.0 s"),)


def test_what_is_against_it_comes_before_what_is_missing() -> None:
    """Validations and rules that deny, or have no value, by document; then allow rules; what is in shadow never."""
    first = document(
        "a",
        validations={"fits": "met", "body": "invalid_body: not met", "later": "does not apply"},
        rules=(
            rule("tried", Effect.DENY, Said.HOLDS, Mode.SHADOW),
            rule("passed", Effect.DENY, Said.FAILS),
            rule("broken", Effect.REDIRECT, Said.ERROR),
            READERS,
        ),
    )
    second = document("b", rules=(rule("writers", Effect.ALLOW, Said.FAILS), rule("admins", Effect.ALLOW, Said.ERROR)))
    shadow = document("c", mode=Mode.SHADOW, rules=(rule("all", Effect.DENY, Said.HOLDS),))
    found = list(ways([first, second, shadow], denied(Reason.RULE_ERROR)))
    assert [(way.document, way.rule) for way in found] == [
        ("a", "body"), ("a", "broken"), ("b", "writers"), ("b", "admins"),
    ]  # fmt: skip
    assert found[0].missing == (Missing(text="the validation", found="invalid_body: not met"),)
    assert found[2].missing == (Missing(text="writers otherwise"),)


def test_a_policy_without_allow_rules_lacks_one() -> None:
    """A guardrail without one lacks nothing: it lets nobody in."""
    found = ways([document(), document("g", kind="Guardrail")], denied(Reason.NO_RULE))
    assert [(way.document, way.missing) for way in found] == [("orders", (Missing(text="an allow rule"),))]


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        (Reason.AMBIGUOUS_REQUEST, "a path that reads one way"),
        (Reason.UNAUTHENTICATED, "a credential"),
        (Reason.INVALID_CREDENTIALS, "a credential that is good"),
        (Reason.IDENTITY_UNAVAILABLE, "an identity provider that answers"),
    ],
)
def test_what_came_before_rules_is_named_first(reason: Reason, text: str) -> None:
    """Rules were not asked then, but what they lack stands behind it."""
    found = list(ways([document(rules=(rule("readers", Effect.ALLOW, Said.FAILS),))], denied(reason, "orders")))
    assert [(way.document, way.rule) for way in found] == [("orders", ""), ("orders", "readers")]
    assert found[0].missing == (Missing(text=text),)


def test_nothing_stands_in_the_way_of_what_was_allowed() -> None:
    """Whatever else is said there."""
    allowed = Decision(effect=Effect.ALLOW, reason=Reason.ALLOWED, status=STATUS[Reason.ALLOWED])
    assert list(ways([document()], allowed)) == []
