"""What is known to be over: until when, for which cost, for which generation, and how much of it is kept."""

from __future__ import annotations

import sys

from authz.limits.asks import Answer
from authz.limits.denials import Denials
from authz.limits.lease import LIFE
from authz.limits.plan import Plan, Planner, conclude
from authz.model import Charge, Scope
from tests.limits.conftest import charge, limit

PLANNER = Planner()
LONG = 8192
"""Characters of a key that a planner does not keep, either."""


def plan(*charges: Charge) -> Plan:
    """Plan charges that need a store."""
    planned = PLANNER.plan(charges)
    assert isinstance(planned, Plan)
    return planned


def refused(denials: Denials, each: Charge, *, retry: int = 10_000_000, sent_at: float = 100.0) -> Plan:
    """Let the denials learn that a charge is over."""
    asked = plan(each)
    denials.learn(asked, conclude(asked, Answer(admitted=0, numbers=[0, 2, 20_000_000, retry])), sent_at)
    return asked


def test_a_refusal_holds_until_its_time() -> None:
    """From when it was sent, for `retry_after`, and not a moment longer; the numbers move with the clock."""
    denials = Denials()
    asked = refused(denials, charge(limit()))
    usage = denials.refusal(asked, 104.0)
    assert usage is not None
    assert not usage.admitted
    assert (usage.limits[0].retry_after, usage.limits[0].reset, usage.limits[0].remaining) == (6.0, 16.0, 2)
    assert denials.refusal(asked, 110.0) is None


def test_what_a_caller_made_up_is_not_kept() -> None:
    """R9: sixty thousand callers are remembered, and what each counts by is as long as they like: it is not held."""
    key = "k" * LONG
    before = sys.getrefcount(key)
    denials = Denials()
    refused(denials, charge(limit(), key))
    holders = sys.getrefcount(key)
    assert len(denials) == 1
    assert holders == before


def test_a_smaller_cost_is_asked() -> None:
    """What refused 3 may have room for 2; what refused 3 has none for 4."""
    denials = Denials()
    each = limit(requests=5)
    refused(denials, charge(each, cost=3))
    assert denials.refusal(plan(charge(each, cost=2)), 101.0) is None
    assert denials.refusal(plan(charge(each, cost=3)), 101.0) is not None
    assert denials.refusal(plan(charge(each, cost=4)), 101.0) is not None


def test_a_leased_limit_is_asked_again_soon() -> None:
    """Others may give back what they hold, and do when their blocks end: no refusal of it is certain for longer."""
    denials = Denials()
    asked = refused(denials, charge(limit(scope=Scope.LEASED)))
    assert denials.refusal(asked, 100.0 + LIFE - 0.01) is not None
    assert denials.refusal(asked, 100.0 + LIFE) is None
    soon = refused(denials, charge(limit(scope=Scope.LEASED)), retry=200_000, sent_at=200.0)
    assert denials.refusal(soon, 200.19) is not None
    assert denials.refusal(soon, 200.2) is None


def test_another_generation_is_asked() -> None:
    """R14: a limit that was loaded anew, and may be higher now, is asked anew."""
    denials = Denials()
    refused(denials, charge(limit(requests=3)))
    assert denials.refusal(plan(charge(limit(requests=30))), 101.0) is None


def test_one_of_several_is_enough() -> None:
    """A request is refused when any of its limits is known to be over; only that one is named."""
    denials = Denials()
    each = limit("a/over")
    refused(denials, charge(each))
    usage = denials.refusal(plan(charge(limit("a/fine")), charge(each)), 101.0)
    assert usage is not None
    assert [part.charge.limit.name for part in usage.limits] == ["a/over"]


def test_another_caller_is_asked() -> None:
    """Nobody is refused for another's sake."""
    denials = Denials()
    each = limit()
    refused(denials, charge(each, "bob"))
    assert denials.refusal(plan(charge(each, "eve")), 101.0) is None


def test_the_oldest_make_room() -> None:
    """R9: the memory is bounded."""
    denials = Denials(size=10)
    each = limit()
    asked = [refused(denials, charge(each, f"caller-{number}")) for number in range(30)]
    assert len(denials) == 10
    assert denials.refusal(asked[0], 101.0) is None
    assert denials.refusal(asked[29], 101.0) is not None
    denials.clear()
    assert denials.refusal(asked[29], 101.0) is None


def test_none_are_kept_where_none_are_wanted() -> None:
    """A size of 0 turns it off."""
    denials = Denials(size=0)
    assert denials.refusal(refused(denials, charge(limit())), 101.0) is None


def test_of_one_limit_only_the_caller_that_is_over_is_known() -> None:
    """A question may charge one limit for two callers; the other one is not refused."""
    denials, one = Denials(), limit()
    over, fine = charge(one, "over"), charge(one, "fine")
    both = plan(over, fine)
    denials.learn(both, conclude(both, Answer(admitted=0, numbers=[0, 0, 9, 9_000_000, 1, 1, 0, 0])), 100.0)
    assert denials.refusal(plan(over), 101.0) is not None
    assert denials.refusal(plan(fine), 101.0) is None
