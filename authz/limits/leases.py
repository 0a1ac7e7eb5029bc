"""Limits with `scope: leased`: spent in this process, from blocks that Redis has charged ahead (see lease.py).

* Never more than the limit in a window of the clock or the calendar: a block is charged like any request, by the same
  script, and ends with its window. In any other interval no more than the algorithm admits in one that begins `LIFE`
  seconds earlier: a block is spent at most that long after it was charged. So a token bucket holds
  `burst + rate * (t + LIFE)` instead of `burst + rate * t`.
* Less, for a while: what lies in the blocks of one process is refused to the others. It is given back when a block
  ends, and when the process does. A lost reply to a taking costs the block, until its window ends.
* A charge that finds its blocks empty asks Redis for itself, as in `scope: exact`. So does the part of a request whose
  limits are not held here; where that is refused, what was held is put back: all or none.
* While Redis is away, blocks are spent to their end.
"""

from __future__ import annotations

import time
from collections import Counter
from functools import partial
from threading import Condition, Event, Lock, Thread
from typing import TYPE_CHECKING

import msgspec

from authz.limits.algorithms import MICROSECONDS
from authz.limits.asks import Ask
from authz.limits.batch import TAKE, Waiting, give
from authz.limits.lease import LIFE, Block, Lease
from authz.limits.plan import Plan, conclude
from authz.model import LimitOutcome, LimitUsage, Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from authz.limits.asks import Answer
    from authz.limits.batch import Heard

MAX_LEASES = 4096
"""Counters that blocks are taken for; the charges of others ask for themselves."""

_TICK = 0.05
_PATIENCE = 0.25
"""Seconds that closing waits for what it gives back."""


class Share(msgspec.Struct, frozen=True):
    """What one request spent, and of which block."""

    lease: Lease
    block: Block
    cost: int


class Held(msgspec.Struct, frozen=True):
    """The part of a request that is charged already: usages by place among the plan's parts, and what to put back."""

    plan: Plan
    usages: Mapping[int, LimitUsage]
    shares: Sequence[Share]
    put_back: Callable[[Sequence[Share]], None]

    @property
    def whole(self) -> Usage | None:
        """What the request is answered where all of it is held."""
        if len(self.usages) < len(self.plan.parts):
            return None
        return Usage(admitted=True, limits=tuple([self.usages[place] for place in range(len(self.plan.parts))]))

    @property
    def rest(self) -> Plan:
        """The part that is still to be asked."""
        parts = tuple([part for place, part in enumerate(self.plan.parts) if place not in self.usages])
        return Plan(parts=parts, asks=tuple([part for part in parts if isinstance(part, Ask)]))

    def joined(self, done: Callable[[Usage], None], rest: Usage) -> None:
        """Tell the caller about both parts; put back what was held where the rest is refused."""
        if not rest.admitted:
            self.put_back(self.shares)
        told = {id(usage.charge): usage for usage in rest.limits}
        limits = [self.usages.get(place) or told.get(id(part.charge)) for place, part in enumerate(self.plan.parts)]
        done(Usage(admitted=rest.admitted, limits=tuple([usage for usage in limits if usage is not None])))


class Leases:
    """All blocks of this process.

    `submit` asks Redis, for `budget` seconds at most; `told` hears what it said of a counter that a block was taken of.
    `processes` share the counters.
    """

    def __init__(
        self, submit: Callable[[Waiting], bool], told: Callable[[Plan, Usage], None], budget: float, processes: int
    ) -> None:
        self._submit = submit
        self._told = told
        self._budget = budget
        self._processes = processes
        self._lock = Lock()
        self._quiet = Condition(self._lock)
        self._leases: dict[str, Lease] = {}
        self._keeper: Thread | None = None
        self._over = Event()
        self._returning = 0
        self._hits: Counter[str] = Counter()

    def hold(self, plan: Plan, count: int, now: float) -> Held | None:
        """Spend what can be spent here, or with a `count` of 0 look; `None` where that is nothing."""
        usages = {place: part for place, part in enumerate(plan.parts) if isinstance(part, LimitUsage)}
        leased = [(place, part) for place, part in enumerate(plan.parts) if isinstance(part, Ask) and part.meter.leased]
        settled = len(usages)
        shares: list[Share] = []
        takings: list[tuple[Lease, int]] = []
        with self._lock:
            for place, ask in leased:
                lease = self._lease(ask, now)
                if lease is None:
                    continue
                block = lease.holding(ask.charge.cost, now)
                if block is not None and count:
                    shares.append(self._spend(ask, lease, block))
                if block is not None:
                    usages[place] = _usage(ask, lease, now)
                wanted = lease.wants(ask.charge.cost, now) if count else 0
                if wanted:
                    lease.taking = True
                    takings.append((lease, wanted))
        for lease, wanted in takings:
            self._ask(lease, wanted, TAKE, partial(self._took, lease))
        return Held(plan, usages, shares, self._put_back) if len(usages) > settled else None

    def learn(self, plan: Plan, usage: Usage, now: float) -> None:
        """Take note of what Redis said of the counters that blocks may be taken of."""
        said = {id(each.charge): each for each in usage.limits}
        with self._lock:
            for ask in plan.asks:
                lease = self._leases.get(ask.key) if ask.meter.leased else None
                each = said.get(id(ask.charge))
                if lease is not None and each is not None:
                    lease.told(each.remaining, now + each.reset)

    def outstanding(self) -> Mapping[str, int]:
        """Return how many requests lie in blocks, by limit."""
        now = time.monotonic()
        found: Counter[str] = Counter()
        with self._lock:
            for lease in self._leases.values():
                found[lease.meter.limit.name] += lease.left(now)
        return found

    def hits(self) -> Mapping[str, int]:
        """Return how many charges were spent from blocks, by limit."""
        with self._lock:
            return dict(self._hits)

    def close(self) -> None:
        """Give everything back and wait for it, though not for long."""
        self._over.set()
        keeper = self._keeper
        if keeper is not None:
            keeper.join()
        with self._lock:
            self._leases, left = {}, [(lease, block) for lease in self._leases.values() for block in lease.close()]
        self._give([(lease, block.stamp, block.left) for lease, block in left])
        with self._quiet:
            self._quiet.wait_for(lambda: not self._returning, _PATIENCE)

    def _lease(self, ask: Ask, now: float) -> Lease | None:
        """Return the counter's blocks; those of another generation of the limit are left to be given back."""
        lease = self._leases.get(ask.key)
        if lease is not None and lease.meter is ask.meter:
            return lease
        if lease is not None:
            for block in lease.blocks:
                block.ends = now
            return None
        if len(self._leases) >= MAX_LEASES or self._over.is_set():
            return None
        lease = self._leases[ask.key] = Lease(ask, self._processes, now)
        if self._keeper is None:
            self._keeper = Thread(target=self._keep, name="authz-leases", daemon=True)
            self._keeper.start()
        return lease

    def _spend(self, ask: Ask, lease: Lease, block: Block) -> Share:
        block.left -= ask.charge.cost
        self._hits[ask.charge.limit.name] += 1
        return Share(lease, block, ask.charge.cost)

    def _ask(self, lease: Lease, count: int, verb: str, heard: Heard) -> None:
        asking = Waiting(lease.plan, count, time.monotonic() + self._budget, heard, verb=verb)
        if not self._submit(asking):
            asking.tell(None)

    def _took(self, lease: Lease, asked: Waiting, answer: Answer | None, _rank: int, sent_at: float) -> None:
        late = []
        with self._lock:
            lease.taking = False
            if answer is None:
                return
            fitted, remaining, reset, stamp = answer.numbers
            block = Block(
                left=min(asked.count, fitted),
                ends=sent_at + min(LIFE, lease.meter.spendable(reset) / MICROSECONDS),
                stamp=stamp,
            )
            lease.told(remaining, sent_at + reset / MICROSECONDS)
            if self._over.is_set():
                late.append((lease, stamp, block.left))
            elif block.left > 0:
                lease.blocks.append(block)
        self._told(lease.plan, conclude(lease.plan, answer))
        self._give(late)

    def _put_back(self, shares: Sequence[Share]) -> None:
        late = []
        with self._lock:
            for share in shares:
                if share.block.closed:
                    late.append((share.lease, share.block.stamp, share.cost))
                else:
                    share.block.left += share.cost
        self._give(late)

    def _give(self, parts: Sequence[tuple[Lease, int, int]]) -> None:
        """Give back to Redis; where it cannot be asked, that stays charged until its window is over."""
        with self._lock:
            self._returning += len(parts)
        for lease, stamp, amount in parts:
            self._ask(lease, amount, give(stamp), self._gave)

    def _gave(self, _asked: Waiting, _answer: Answer | None, _rank: int, _sent_at: float) -> None:
        with self._quiet:
            self._returning -= 1
            self._quiet.notify()

    def _keep(self) -> None:
        """Give back what ends; end when there is nothing to keep."""
        while not self._over.wait(_TICK):
            now = time.monotonic()
            with self._lock:
                ended = [(lease, block) for lease in self._leases.values() for block in lease.close(now)]
                self._leases = {key: lease for key, lease in self._leases.items() if not lease.idle(now)}
                idle = not self._leases
                if idle:
                    self._keeper = None  # the next lease starts another
            self._give([(lease, block.stamp, block.left) for lease, block in ended])
            if idle:
                return


def _usage(ask: Ask, lease: Lease, now: float) -> LimitUsage:
    return LimitUsage(
        charge=ask.charge,
        outcome=LimitOutcome.OK,
        remaining=lease.remaining + lease.left(now),
        reset=max(0.0, lease.whole_at - now),
    )
