"""What differs between two decisions of one request, and what is only a limit or a deadline."""

import msgspec
import pytest

from authz.engine import limited, refused
from authz.model import (
    ANONYMOUS,
    Algorithm,
    Charge,
    Decision,
    DocumentTrace,
    Effect,
    Limit,
    LimitOutcome,
    LimitUsage,
    Mode,
    Mutations,
    Outcome,
    Reason,
    Usage,
)
from authz.server.comparing import Comparison, compare, policies_said, said

TRACE = DocumentTrace(name="all", kind="Policy", mode=Mode.ENFORCE, outcome="allow", rule="reads")
ALLOW = Decision(effect=Effect.ALLOW, reason=Reason.ALLOWED, status=200, policy="all", rule="reads", documents=(TRACE,))
DENY = Decision(
    effect=Effect.DENY, reason=Reason.DENY_RULE, status=403, policy="all", rule="secret", documents=(TRACE,)
)
REDIRECT = Decision(effect=Effect.REDIRECT, reason=Reason.REDIRECT_RULE, status=302, location="/new")
PREFLIGHT = Decision(effect=Effect.ANSWER, reason=Reason.PREFLIGHT, status=204)
CHARGE = Charge(limit=Limit(name="all/few", requests=1, period=60, algorithm=Algorithm.FIXED_WINDOW), key=())
OVER = Usage(admitted=False, limits=(LimitUsage(charge=CHARGE, remaining=0, reset=1.0, outcome=LimitOutcome.OVER),))


def _with(decision: Decision, **changes: object) -> Decision:
    return msgspec.structs.replace(decision, **changes)


def _outcome(decision: Decision) -> Outcome:
    return Outcome(
        id="1", decision=decision, request=None, identity=ANONYMOUS, usage=OVER, generation=1, policy_digest="d"
    )


@pytest.mark.parametrize(
    ("live", "candidate", "expected"),
    [
        (ALLOW, ALLOW, Comparison.SAME),
        (ALLOW, _with(ALLOW, documents=(), charges=(CHARGE,)), Comparison.SAME),
        (ALLOW, DENY, Comparison.NEWLY_DENIED),
        (ALLOW, REDIRECT, Comparison.NEWLY_DENIED),
        (PREFLIGHT, DENY, Comparison.NEWLY_DENIED),
        (DENY, ALLOW, Comparison.NEWLY_ALLOWED),
        (REDIRECT, PREFLIGHT, Comparison.NEWLY_ALLOWED),
        (DENY, REDIRECT, Comparison.CHANGED),
        (DENY, _with(DENY, status=404), Comparison.CHANGED),
        (DENY, _with(DENY, message="no"), Comparison.CHANGED),
        (ALLOW, _with(ALLOW, rule="other"), Comparison.CHANGED),
        (ALLOW, _with(ALLOW, mutations=Mutations(query_remove=("debug",))), Comparison.CHANGED),
    ],
)
def test_a_difference_is_what_a_caller_or_an_upstream_notices(
    live: Decision, candidate: Decision, expected: Comparison
) -> None:
    """To let in, or not to, is told apart from letting in or refusing in another way."""
    assert compare(live, candidate) is expected


@pytest.mark.parametrize("turned", [limited(OVER, ALLOW), refused(Reason.DEADLINE, ALLOW)], ids=["limit", "deadline"])
def test_what_policies_allowed_and_something_else_turned_was_allowed(turned: Decision) -> None:
    """A candidate that allows by the same rule says the same; what it allows with can't be compared any more."""
    was = policies_said(_outcome(turned))
    assert was is not None
    assert compare(was, _with(ALLOW, mutations=Mutations(query_remove=("debug",)))) is Comparison.SAME
    assert compare(was, _with(ALLOW, rule="other")) is Comparison.CHANGED
    assert compare(was, DENY) is Comparison.NEWLY_DENIED
    assert (said(was).decision, said(was).reason, said(was).status) == ("allow", "allowed", 200)


@pytest.mark.parametrize(
    "decision",
    [limited(OVER), refused(Reason.CANCELLED, ALLOW), refused(Reason.INTERNAL_ERROR), refused(Reason.OVERLOADED)],
    ids=["limited before rules ran", "cancelled", "fault", "overload"],
)
def test_what_policies_did_not_say_is_not_claimed(decision: Decision) -> None:
    """Where they were not asked, or their word is lost, nothing is compared."""
    assert policies_said(_outcome(decision)) is None
