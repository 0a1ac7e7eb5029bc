"""What a store is asked for one request, and what it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authz.limits.algorithms import Meter
    from authz.model import Charge, Limit

PER_ASK = 4
"""Numbers of an answer for each ask."""


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """One counter to charge."""

    charge: Charge
    meter: Meter
    key: str


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a store says to `count` equal plans.

    `admitted` of them were charged. `numbers` holds four for each ask: how many fitted before; and after, what
    remains, microseconds until whole, microseconds until one more fits.
    """

    admitted: int
    numbers: Sequence[int]


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What follows from a limit alone."""

    limit: Limit
    id: str
    meter: Meter


class Denial(msgspec.Struct, frozen=True, kw_only=True):
    """A limit that is over: what it said to a cost, when it was asked, and until when it can say nothing else.

    Without the charge, whose key is as long as the caller likes: there can be as many of these as there are callers.
    """

    meter: Meter
    cost: int
    remaining: int
    reset: float
    retry_after: float
    seen_at: float
    until: float
