"""One counter's blocks: requests that the store has charged already and that are spent here. Arithmetic, no I/O.

A block is for what the next `AHEAD` seconds want, by what the last ones did, and at most half of what the store had
left, divided by the processes that share it: near the limit blocks shrink to nothing and the last requests are asked
for one by one. Old blocks are spent first. A block ends `LIFE` seconds after it was asked for, and with the window it
was charged to. Times are `time.monotonic()` seconds, passed in; calls for one counter come one at a time.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import msgspec

from authz.limits.asks import Ask
from authz.limits.plan import Plan

if TYPE_CHECKING:
    from authz.limits.algorithms import Meter

AHEAD = 0.1
LIFE = 0.5
_LOOK = 0.02
"""Seconds that demand is measured for, at the least."""


class Block(msgspec.Struct):
    """What is left of one block, until when, and by what the store knows it again; closed once nobody holds it."""

    left: int
    ends: float
    stamp: int
    closed: bool = False


class Lease:
    """The blocks of one counter and the demand for it. `processes` share the counter."""

    __slots__ = ("_asked", "_measured_from", "_processes", "blocks", "meter", "plan", "remaining", "taking", "whole_at")

    def __init__(self, ask: Ask, processes: int, now: float) -> None:
        # Without the components of its key, which are as long as the caller likes; the store knows a hash of them.
        unit = msgspec.structs.replace(ask, charge=msgspec.structs.replace(ask.charge, key=(), cost=1))
        self.plan = Plan(parts=(unit,), asks=(unit,))
        self.meter: Meter = ask.meter
        self.blocks: deque[Block] = deque()
        self.remaining = 0
        self.whole_at = now
        self.taking = False
        self._processes = processes
        self._asked = 0
        self._measured_from = now

    def holding(self, cost: int, now: float) -> Block | None:
        """Return the block that a cost can be spent from."""
        for block in self.blocks:
            if block.left >= cost and block.ends > now:
                return block
        return None

    def left(self, now: float) -> int:
        """Return what all blocks hold."""
        return sum([block.left for block in self.blocks if block.ends > now])

    def wants(self, cost: int, now: float) -> int:
        """Take note that a cost was asked for, and return how large a block to take now: 0 for none."""
        self._asked += cost
        measured = now - self._measured_from
        if measured < _LOOK or self.taking:
            return 0
        wanted = int(self._asked / measured * AHEAD)
        self._asked, self._measured_from = 0, now
        if 2 * self.left(now) >= wanted:
            return 0
        block = min(wanted, self.remaining // (2 * self._processes))
        return block if block >= 2 * cost else 0

    def told(self, remaining: int, whole_at: float) -> None:
        """Take note of what the store said last."""
        self.remaining, self.whole_at = remaining, whole_at

    def idle(self, now: float) -> bool:
        """Say whether nothing is held, on its way or asked for."""
        return not self.blocks and not self.taking and now - self._measured_from > LIFE

    def close(self, now: float = float("inf")) -> list[Block]:
        """Part with the blocks that are over or spent, and return those that hold something."""
        closed = [block for block in self.blocks if block.ends <= now or not block.left]
        self.blocks = deque(block for block in self.blocks if block.ends > now and block.left)
        for block in closed:
            block.closed = True
        return [block for block in closed if block.left]
