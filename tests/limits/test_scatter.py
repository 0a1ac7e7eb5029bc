"""A check over several slots: look everywhere, charge everywhere, heard once."""

from __future__ import annotations

import time

from authz.limits.asks import Answer, Ask
from authz.limits.batch import Waiting
from authz.limits.memory import Counters
from authz.limits.plan import Plan, Planner, conclude
from authz.limits.scatter import Part, Scatter
from authz.model import LimitOutcome, Mode, Usage
from tests.limits.conftest import charge, limit

NAMES = ("a/one", "a/two", "a/three")
WATCHED = limit("a/two", requests=1, mode=Mode.SHADOW, period=86_400.0)


class Slots:
    """Two slots, each a store of its own; `silent` ones take no callers."""

    def __init__(self, *limits: object) -> None:
        planned = Planner().plan([charge(each) for each in limits])  # type: ignore[arg-type]
        assert isinstance(planned, Plan)
        self.plan = planned
        self.stores = {0: Counters(), 1: Counters()}
        self.silent: set[int] = set()
        self.asked: list[tuple[int, int]] = []

    def send(self, slot: int, caller: Waiting) -> bool:
        self.asked.append((slot, caller.count))
        if slot in self.silent:
            return False
        caller.tell(self.stores[slot].ask(caller.plan, caller.count), 0, 7.0 + slot)
        return True

    def slot_of(self, ask: Ask) -> int:
        return NAMES.index(ask.charge.limit.name) % 2

    def check(self, count: int = 1) -> Usage | None:
        """Carry one caller through and return its usage; `None` when nobody answered."""
        heard: list[tuple[Answer | None, int, float]] = []
        caller = Waiting(self.plan, count, time.monotonic() + 5, lambda _, *said: heard.append(said))
        Scatter(caller, [Part.of(self.plan, slot, self.slot_of) for slot in (0, 1)], self.send).begin()
        ((answer, rank, sent_at),) = heard
        assert answer is None or sent_at == 7.0
        return None if answer is None else conclude(self.plan, answer, rank)


def three(small: int) -> list[object]:
    """Return three limits, the middle one in another slot and smaller."""
    return [limit(name, requests=small if name == "a/two" else 10, period=86_400.0) for name in NAMES]


def test_it_looks_everywhere_and_then_charges_everywhere() -> None:
    """All have room: two rounds, and the numbers are in the order of the charges."""
    slots = Slots(*three(2))
    usage = slots.check()
    assert usage is not None
    assert usage.admitted
    assert [each.remaining for each in usage.limits] == [9, 1, 9]
    assert slots.asked == [(0, 0), (1, 0), (0, 1), (1, 1)]


def test_where_one_has_no_room_nothing_is_charged() -> None:
    """The refusal of one slot is known before the other is charged."""
    slots = Slots(*three(1))
    assert slots.check() is not None
    slots.asked.clear()
    usage = slots.check()
    assert usage is not None
    assert not usage.admitted
    assert [each.outcome for each in usage.limits] == [LimitOutcome.OK, LimitOutcome.OVER, LimitOutcome.OK]
    assert [each.remaining for each in usage.limits] == [9, 0, 9]
    assert slots.asked == [(0, 0), (1, 0)]


def test_a_shadow_limit_in_another_slot_holds_nobody_back() -> None:
    """It is looked at and charged like the others, and says what it would have done."""
    slots = Slots(limit("a/one", requests=10, period=86_400.0), WATCHED)
    assert [usage.admitted for usage in (slots.check(), slots.check()) if usage] == [True, True]
    usage = slots.check()
    assert usage is not None
    assert [each.outcome for each in usage.limits] == [LimitOutcome.OK, LimitOutcome.WOULD_LIMIT]
    assert usage.limits[0].remaining == 7


def test_a_peek_stays_a_peek() -> None:
    """Looking is one round, and charges nothing."""
    slots = Slots(*three(1))
    for _ in range(3):
        usage = slots.check(count=0)
        assert usage is not None
        assert usage.admitted
    assert {count for _, count in slots.asked} == {0}


def test_a_silent_slot_answers_for_none() -> None:
    """Where one part is not answered the whole is not: `on_error` speaks, and the other slot is not charged."""
    slots = Slots(*three(5))
    slots.silent = {1}
    assert slots.check() is None
    slots.silent = set()
    usage = slots.check(count=0)
    assert usage is not None
    assert [each.remaining for each in usage.limits] == [10, 5, 10]
