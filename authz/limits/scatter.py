"""One check over several slots of a cluster: look everywhere, then charge everywhere, each part atomic."""

from __future__ import annotations

from functools import partial
from threading import Lock
from typing import TYPE_CHECKING

import msgspec

from authz.limits.asks import PER_ASK, Answer, Ask
from authz.limits.batch import Waiting
from authz.limits.plan import Plan, alone

if TYPE_CHECKING:
    from collections.abc import Callable


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """The asks of one slot, and their places among all of the plan's."""

    slot: int
    plan: Plan
    places: tuple[int, ...]

    @classmethod
    def of(cls, plan: Plan, slot: int, slot_of: Callable[[Ask], int]) -> Part:
        """Take the part of a plan that lies in a slot."""
        places = tuple(place for place, ask in enumerate(plan.asks) if slot_of(ask) == slot)
        asks = tuple(plan.asks[place] for place in places)
        return cls(slot=slot, plan=Plan(parts=asks, asks=asks), places=places)


class Scatter:
    """Carries one caller through; it hears once, as if one server had answered."""

    def __init__(self, caller: Waiting, parts: list[Part], send: Callable[[int, Waiting], bool]) -> None:
        self._caller = caller
        self._parts = parts
        self._send = send
        self._lock = Lock()
        self._count = 0
        self._left = 0
        self._answers: list[Answer | None] = []
        self._sent_at = 0.0

    def begin(self) -> None:
        """Look at every part."""
        self._ask(0)

    def _ask(self, count: int) -> None:
        self._count = count
        self._left = len(self._parts)
        self._answers = [None] * len(self._parts)
        for number, part in enumerate(self._parts):
            heard = partial(self._heard, number)
            if not self._send(part.slot, asker := Waiting(part.plan, count, self._caller.deadline, heard)):
                asker.tell(None)

    def _heard(self, number: int, asker: Waiting, answer: Answer | None, rank: int, sent_at: float) -> None:
        with self._lock:
            self._answers[number] = None if answer is None else alone(asker.plan, answer, rank)
            self._sent_at = sent_at if self._left == len(self._parts) else min(self._sent_at, sent_at)
            self._left -= 1
            if self._left:
                return
        whole = self._together()
        if whole is not None and self._count < self._caller.count and self._has_room(whole):
            self._ask(self._caller.count)
        else:
            self._caller.tell(whole, 0, self._sent_at)

    def _together(self) -> Answer | None:
        numbers = [0] * (PER_ASK * len(self._caller.plan.asks))
        admitted = 1
        for part, answer in zip(self._parts, self._answers, strict=True):
            if answer is None:
                return None
            admitted = min(admitted, answer.admitted)
            for index, place in enumerate(part.places):
                numbers[place * PER_ASK : (place + 1) * PER_ASK] = answer.numbers[
                    index * PER_ASK : (index + 1) * PER_ASK
                ]
        return Answer(admitted=admitted, numbers=numbers)

    def _has_room(self, whole: Answer) -> bool:
        asks = self._caller.plan.asks
        return all(ask.meter.shadow or whole.numbers[place * PER_ASK] > 0 for place, ask in enumerate(asks))
