"""From the charges of one request to one question for a store, and from the store's answer to a `Usage`.

What needs no store is settled here. A limit of no requests, a cost the limit can never hold and a cost below 0
are refused, without a time to come back; the usage then names only what refused, for nothing else was asked.
A cost of 0 is free and not looked up: it reports its limit as whole. Charges of one counter are one charge, at
the sum of their costs.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import msgspec

from authz.limits.algorithms import MICROSECONDS, AlignedWindow, meter
from authz.limits.asks import PER_ASK, Answer, Ask, Known
from authz.limits.keys import KeyMaker, limit_id
from authz.limits.question import Question
from authz.model import UNLIMITED, Charge, Limit, LimitOutcome, LimitUsage, Mode, Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_REMEMBERED = 65_536
_PLANS = 8192
_SHORT = 256
"""Characters of keys in a plan that is kept: many long ones would be much memory."""

_OK: Final = LimitOutcome.OK  # final, since a member is looked up in its enum each time
_OVER: Final = LimitOutcome.OVER
_Wanted = tuple[tuple[int, tuple[str, ...], int], ...]


class Plan:
    """What to ask a store, and what is settled already, in the order of the charges."""

    __slots__ = ("_question", "asks", "parts")

    def __init__(self, *, parts: tuple[Ask | LimitUsage, ...], asks: tuple[Ask, ...]) -> None:
        self.parts = parts
        self.asks = asks
        self._question: Question | None = None

    @property
    def question(self) -> Question:
        """Return what the script is asked, worked out once where no calendar counts."""
        known = self._question
        if known is None:
            known = Question(self.asks)
            if not any(isinstance(ask.meter, AlignedWindow) for ask in self.asks):
                self._question = known
        return known


class Planner:
    """Plans charges. What follows from a limit alone is worked out once for each `Limit` object, and plans are kept.

    `clock`, seconds of the epoch, says which windows of a calendar Redis is told of.
    """

    def __init__(self, secret: bytes = b"", clock: Callable[[], float] = time.time) -> None:
        self._keys = KeyMaker(secret)
        self._clock = clock
        self._known: dict[int, Known] = {}
        self._plans: dict[_Wanted, Plan] = {}
        self.leases = False
        """Whether any limit that was met is leased."""

    def plan(self, charges: Sequence[Charge]) -> Plan | Usage:
        """Return what to ask, or the usage where nothing has to be asked."""
        wanted = tuple([(id(charge.limit), charge.key, charge.cost) for charge in charges])
        remembered = self._plans.get(wanted)  # which holds its limits, so that each `id` stays its own
        if remembered is not None:
            return remembered
        planned = self._planned(charges)
        if isinstance(planned, Plan) and sum([len(part) for charge in charges for part in charge.key]) <= _SHORT:
            if len(self._plans) >= _PLANS:
                self._plans.clear()
            self._plans[wanted] = planned
        return planned

    def _planned(self, charges: Sequence[Charge]) -> Plan | Usage:
        parts = tuple([self._part(charge) for charge in _folded(charges) if charge.limit.mode is not Mode.OFF])
        asks = tuple([part for part in parts if type(part) is Ask])
        if len(asks) == len(parts):
            return Plan(parts=parts, asks=asks) if parts else UNLIMITED
        settled = tuple(part for part in parts if isinstance(part, LimitUsage))
        refusals = tuple(usage for usage in settled if usage.outcome is LimitOutcome.OVER)
        if refusals:
            return Usage(admitted=False, limits=refusals)
        return Plan(parts=parts, asks=asks) if asks else Usage(admitted=True, limits=settled)

    def _part(self, charge: Charge) -> Ask | LimitUsage:
        known = self._known.get(id(charge.limit)) or self._learn(charge.limit)
        if 0 < charge.cost <= known.meter.capacity and charge.limit.requests > 0:
            return Ask(charge=charge, meter=known.meter, key=self._keys.key(known.id, charge.key))
        if charge.cost == 0:
            return LimitUsage(charge=charge, outcome=LimitOutcome.OK, remaining=int(known.meter.capacity), reset=0.0)
        outcome = LimitOutcome.WOULD_LIMIT if known.meter.shadow else LimitOutcome.OVER
        return LimitUsage(charge=charge, outcome=outcome, remaining=0, reset=0.0)

    def _learn(self, limit: Limit) -> Known:
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        known = Known(limit=limit, id=limit_id(limit), meter=meter(limit, self._clock))  # holds it: its `id` stays
        self._known[id(limit)] = known
        self.leases = self.leases or known.meter.leased
        return known


def _folded(charges: Sequence[Charge]) -> Sequence[Charge]:
    if len(charges) < 2:
        return charges
    sums: dict[tuple[str, bool, tuple[str, ...]], Charge] = {}
    for charge in charges:
        counter = (charge.limit.name, charge.limit.guardrail, charge.key)
        twin = sums.get(counter)
        sums[counter] = charge if twin is None else msgspec.structs.replace(charge, cost=charge.cost + twin.cost)
    return tuple(sums.values())


def conclude(plan: Plan, answer: Answer, rank: int = 0) -> Usage:
    """Return what the answer means for one of the equal plans, the one that came `rank`th (from 0).

    The first are the ones admitted, and each sees what was left after its own turn, as if they had come one by one.
    An answer to a peek (`admitted` 0, rank 0) says whether a charge would be admitted.
    """
    usages: list[LimitUsage] = []
    denied = False
    place = 0
    for part in plan.parts:
        if isinstance(part, LimitUsage):
            usages.append(part)
            continue
        usage = _read(part, answer, place, rank)
        denied = denied or usage.outcome is _OVER
        usages.append(usage)
        place += PER_ASK
    return Usage(admitted=not denied, limits=tuple(usages))


def alone(plan: Plan, answer: Answer, rank: int) -> Answer:
    """Return the answer one of the equal plans would have got by itself, after those before it."""
    numbers: list[int] = []
    for place, ask in enumerate(plan.asks):
        fitted, remaining, reset, retry = answer.numbers[place * PER_ASK : (place + 1) * PER_ASK]
        taken = min(answer.admitted, fitted)
        before = min(rank, taken)
        later = taken - min(rank + 1, taken)
        numbers += (fitted - before, remaining + later * ask.charge.cost, reset, retry)
    return Answer(admitted=int(rank < answer.admitted), numbers=numbers)


def _read(ask: Ask, answer: Answer, place: int, rank: int) -> LimitUsage:
    fitted, remaining, reset, retry = answer.numbers[place : place + PER_ASK]
    admitted = answer.admitted
    outcome, retry_after = _OK, None
    if ask.meter.shadow:
        if rank >= fitted:
            outcome = LimitOutcome.WOULD_LIMIT
    elif rank >= admitted and fitted <= admitted:
        outcome, retry_after = _OVER, retry / MICROSECONDS
    later = min(admitted, fitted) - min(rank + 1, admitted, fitted)
    return LimitUsage(
        charge=ask.charge,
        outcome=outcome,
        remaining=remaining + later * ask.charge.cost,
        reset=reset / MICROSECONDS,
        retry_after=retry_after,
    )
