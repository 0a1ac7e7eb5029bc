"""Answers as the caller and the upstream meet them."""

import pytest

from authz import wire
from authz.cli.answer import data, pretty, why
from authz.model import (
    ANONYMOUS,
    UNLIMITED,
    Charge,
    Decision,
    DocumentTrace,
    Effect,
    HeaderMutation,
    Limit,
    LimitOutcome,
    LimitUsage,
    Mode,
    Mutations,
    Outcome,
    Reason,
    RuleError,
    Usage,
)


def _outcome(decision: Decision, usage: Usage = UNLIMITED, detail: str = "") -> Outcome:
    return Outcome(
        id="d1", decision=decision, request=None, identity=ANONYMOUS, usage=usage, generation=1, policy_digest="",
        detail=detail,
    )  # fmt: skip


ALLOW = Decision(
    effect=Effect.ALLOW,
    reason=Reason.ALLOWED,
    status=200,
    policy="orders",
    rule="readers",
    mutations=Mutations(
        request_headers=(HeaderMutation(name="x-subject", value="alice"),),
        request_headers_remove=("authorization",),
        response_headers=(HeaderMutation(name="cache-control", value="private"),),
        query_set=(("tenant", "acme"),),
        query_remove=("debug",),
    ),
)
DENY = Decision(effect=Effect.DENY, reason=Reason.DENY_RULE, status=451, policy="orders", rule="law")


def test_an_allow_shows_what_the_upstream_and_the_caller_get() -> None:
    """`+` is written, `-` is removed."""
    assert pretty(wire.write(_outcome(ALLOW))).splitlines() == [
        "allow",
        "request headers:",
        "  + x-subject: alice",
        "  - authorization",
        "query:",
        "  + tenant=acme",
        "  - debug",
        "response headers:",
        "  + cache-control: private",
    ]


def test_a_plain_allow_is_one_word() -> None:
    """Where nothing is changed there is nothing to show."""
    assert pretty(wire.write(_outcome(Decision(effect=Effect.ALLOW, reason=Reason.ALLOWED, status=200)))) == "allow"


def test_a_denial_is_the_answer_itself() -> None:
    """Status line, headers, an empty line, the body."""
    lines = pretty(wire.write(_outcome(DENY))).splitlines()
    assert lines[0] == "HTTP/1.1 451 Unavailable For Legal Reasons"
    assert "x-authz-decision-id: d1" in lines
    assert lines[-2] == ""
    assert '"reason":"deny_rule"' in lines[-1]


def test_what_settled_it_is_one_line() -> None:
    """And what the person at the terminal should know besides, one line each."""
    decision = Decision(
        effect=Effect.DENY,
        reason=Reason.RULE_ERROR,
        status=403,
        policy="orders",
        rule="readers",
        errors=(RuleError(rule="orders/readers", error="no such key"),),
        documents=(DocumentTrace(name="trial", kind="Policy", mode=Mode.SHADOW, outcome="would_deny"),),
    )
    limit = Limit(name="orders/all", requests=3, period=60.0)
    usage = LimitUsage(charge=Charge(limit=limit, key=("k",)), outcome=LimitOutcome.OVER, remaining=0, reset=9.0)
    assert why(_outcome(decision, Usage(admitted=False, limits=(usage,)), "a detail")).splitlines() == [
        "deny: rule_error by orders/readers",
        "  a detail",
        "  error in orders/readers: no such key",
        "  trial: would_deny",
        "  limit orders/all: over, 0 left if nobody asked before",
    ]


@pytest.mark.parametrize(
    ("decision", "keys"),
    [(ALLOW, {"request_headers", "query", "response_headers", "metadata"}), (DENY, {"headers", "body", "metadata"})],
)
def test_a_program_gets_the_decision_and_the_answer(decision: Decision, keys: set[str]) -> None:
    """The same keys for every decision, and those of the answer it is."""
    outcome = _outcome(decision)
    got = data(wire.write(outcome), outcome)
    common = {"decision", "reason", "status", "policy", "rule", "documents", "limits", "errors", "detail"}
    assert set(got) == common | keys
    assert got["metadata"]["rule"] == decision.rule
