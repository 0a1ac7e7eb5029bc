"""The ladder from what was decided and charged to what the caller is told."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.engine import conclude, limited, refused
from authz.model import (
    STATUS,
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
    Reason,
    RuleError,
    Usage,
)


class Looked:
    """Reads of a decision that depended on nothing."""

    written = None

    def entries(self) -> tuple[()]:
        return ()


ALLOW = Decision(
    effect=Effect.ALLOW,
    reason=Reason.ALLOWED,
    status=200,
    policy="orders",
    rule="writers",
    documents=(DocumentTrace(name="orders", kind="Policy", mode=Mode.ENFORCE, outcome="allow", rule="writers"),),
    errors=(RuleError(rule="orders/readers", error="no such key"),),
    reads=Looked(),
    cors=(HeaderMutation(name="access-control-allow-origin", value="https://app.example.com"),),
)
DENY = msgspec.structs.replace(ALLOW, effect=Effect.DENY, reason=Reason.DENY_RULE, status=403, rule="frozen")
REDIRECT = msgspec.structs.replace(
    ALLOW, effect=Effect.REDIRECT, reason=Reason.REDIRECT_RULE, status=302, location="https://login.example.com/"
)
LIMIT = Limit(name="orders/writes", requests=1, period=60.0)


def usage_of(*outcomes: LimitOutcome) -> Usage:
    """Return what limits said that did not admit a request."""
    charge = Charge(limit=LIMIT, key=("a",))
    limits = tuple(LimitUsage(charge=charge, outcome=outcome, remaining=0, reset=1.0) for outcome in outcomes)
    return Usage(admitted=False, limits=limits)


@pytest.mark.parametrize(
    ("decision", "usage", "cancelled", "late", "reason"),
    [
        (ALLOW, UNLIMITED, False, False, Reason.ALLOWED),
        (ALLOW, UNLIMITED, True, False, Reason.CANCELLED),
        (DENY, UNLIMITED, True, True, Reason.CANCELLED),
        (DENY, UNLIMITED, False, True, Reason.DENY_RULE),
        (DENY, usage_of(LimitOutcome.OVER), False, False, Reason.DENY_RULE),
        (REDIRECT, usage_of(LimitOutcome.OVER), False, True, Reason.REDIRECT_RULE),
        (ALLOW, usage_of(LimitOutcome.OVER), False, True, Reason.DEADLINE),
        (ALLOW, usage_of(LimitOutcome.OVER), False, False, Reason.RATE_LIMITED),
        (ALLOW, usage_of(LimitOutcome.DEGRADED_DENY), False, False, Reason.LIMITER_DEGRADED),
        (ALLOW, usage_of(LimitOutcome.DEGRADED_DENY, LimitOutcome.OVER), False, False, Reason.RATE_LIMITED),
    ],
)
def test_the_first_rung_that_holds_decides(
    decision: Decision, usage: Usage, cancelled: bool, late: bool, reason: Reason
) -> None:
    """Cancelled, denied, late, limited, allowed: in this order (row I6)."""
    concluded = conclude(decision, usage, cancelled=cancelled, late=late)
    assert concluded.reason == reason
    assert concluded.status == (decision.status if concluded is decision else STATUS[reason])


@pytest.mark.parametrize(
    ("decision", "late", "reason"),
    [
        (ALLOW, False, Reason.UNRECORDED),
        (ALLOW, True, Reason.DEADLINE),
        (DENY, False, Reason.DENY_RULE),
        (REDIRECT, False, Reason.REDIRECT_RULE),
    ],
)
def test_nobody_is_let_in_whose_record_would_be_lost(decision: Decision, late: bool, reason: Reason) -> None:
    """Where records are a condition of access, only allows are turned: a denial gives nothing away (O4)."""
    turned = conclude(decision, usage_of(LimitOutcome.OVER), cancelled=False, late=late, unrecorded=True)
    assert turned.reason == reason


@given(
    st.sampled_from([ALLOW, DENY, REDIRECT]),
    st.sampled_from([UNLIMITED, usage_of(LimitOutcome.OVER), usage_of(LimitOutcome.DEGRADED_DENY)]),
    st.booleans(),
    st.booleans(),
)
def test_an_allow_needs_every_rung(decision: Decision, usage: Usage, cancelled: bool, late: bool) -> None:
    """What is turned keeps what it depended on and what pages may read of it, gains no mutations, and is a denial."""
    concluded = conclude(decision, usage, cancelled=cancelled, late=late)
    allowed = decision is ALLOW and usage.admitted and not cancelled and not late
    assert (concluded.effect is Effect.ALLOW) == allowed
    for kept in ("policy", "rule", "documents", "errors", "reads", "cors"):
        assert getattr(concluded, kept) is getattr(decision, kept)
    if concluded is not decision:
        assert concluded.effect is Effect.DENY
        assert (concluded.charges, concluded.location) == ((), None)


@pytest.mark.parametrize("reason", sorted(set(Reason) - {Reason.ALLOWED, Reason.REDIRECT_RULE, Reason.PREFLIGHT}))
def test_every_refusal_denies_with_its_own_status(reason: Reason) -> None:
    """A reason that no rule gave is a denial with the status of the table."""
    assert refused(reason) == Decision(effect=Effect.DENY, reason=reason, status=STATUS[reason])
    assert limited(usage_of(LimitOutcome.OVER), ALLOW).documents == ALLOW.documents
