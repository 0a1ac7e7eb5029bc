"""`on_error`: what each limit answers when nobody counts, and that all or none holds among them."""

from __future__ import annotations

import pytest

from authz.limits.degraded import fall_back
from authz.limits.memory import Counters
from authz.limits.plan import Plan, Planner
from authz.model import Charge, LimitOutcome, Mode, OnError
from tests.limits.conftest import charge, limit

ALLOW, DENY = LimitOutcome.DEGRADED_ALLOW, LimitOutcome.DEGRADED_DENY


def plan(*charges: Charge) -> Plan:
    """Plan charges that need a store."""
    planned = Planner().plan(charges)
    assert isinstance(planned, Plan)
    return planned


@pytest.mark.parametrize(
    ("on_error", "said", "admitted"),
    [(OnError.ALLOW, ALLOW, True), (OnError.DENY, DENY, False), (OnError.LOCAL, DENY, False)],
)
def test_each_limit_answers_as_it_says(on_error: OnError, said: LimitOutcome, admitted: bool) -> None:
    """R2: `allow` admits, `deny` refuses, `local` without a place to count refuses."""
    usage = fall_back(plan(charge(limit(on_error=on_error))), 1, None)
    assert (usage.admitted, usage.limits[0].outcome) == (admitted, said)
    assert usage.limits[0].retry_after is None


def test_local_counts_on() -> None:
    """`local` admits what fits here, marked as degraded, and says `over` with a time when it does not."""
    local = Counters()
    asked = plan(charge(limit(requests=2, period=86_400.0)))
    said = [fall_back(asked, 1, local) for _ in range(3)]
    assert [usage.admitted for usage in said] == [True, True, False]
    assert [usage.limits[0].outcome for usage in said] == [ALLOW, ALLOW, LimitOutcome.OVER]
    assert said[2].limits[0].retry_after is not None


def test_one_denial_leaves_the_local_counts_alone() -> None:
    """All or none: what `deny` refuses is not charged where `local` counts."""
    local = Counters()
    each = limit("a/local", requests=5, period=86_400.0)
    usage = fall_back(plan(charge(each), charge(limit("a/deny", on_error=OnError.DENY))), 1, local)
    assert [part.charge.limit.name for part in usage.limits] == ["a/deny"]
    assert len(local) == 0


def test_a_shadow_limit_refuses_nobody() -> None:
    """Whatever its `on_error`."""
    for on_error in OnError:
        assert fall_back(plan(charge(limit(mode=Mode.SHADOW, on_error=on_error))), 1, None).admitted


def test_a_peek_charges_nothing_here_either() -> None:
    """Looking is free, also locally."""
    local = Counters()
    asked = plan(charge(limit(requests=1, period=86_400.0)))
    assert [fall_back(asked, 0, local).admitted for _ in range(3)] == [True] * 3
    assert fall_back(asked, 1, local).admitted
    assert not fall_back(asked, 0, local).admitted


def test_a_full_local_store_refuses() -> None:
    """When not even this process can count, `local` is `deny`, and the others stay as they are."""
    full = Counters(max_keys=0)
    usage = fall_back(plan(charge(limit("a/local")), charge(limit("a/allow", on_error=OnError.ALLOW))), 1, full)
    assert not usage.admitted
    assert [(part.charge.limit.name, part.outcome) for part in usage.limits] == [("a/local", DENY)]


def test_the_order_of_the_charges_is_kept() -> None:
    """An answer per charge, in order, whoever gave it."""
    charges = [charge(limit("a/1", on_error=OnError.ALLOW)), charge(limit("a/2")), charge(limit("a/3"), cost=0)]
    usage = fall_back(plan(*charges), 1, Counters())
    assert [part.charge.limit.name for part in usage.limits] == ["a/1", "a/2", "a/3"]
    assert [part.outcome for part in usage.limits] == [ALLOW, ALLOW, LimitOutcome.OK]
