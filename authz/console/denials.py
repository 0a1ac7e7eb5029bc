"""What is counted of denials, and what is said of the most frequent."""

from __future__ import annotations

import msgspec


class Denial(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who was denied and by what; `rule` is `None` where no rule did. `by` says what names the caller."""

    who: str
    by: str
    reason: str
    policy: str | None
    rule: str | None


class Frequent(msgspec.Struct, frozen=True, kw_only=True):
    """One of the most frequent: at most `count` times, and at least `count - above`."""

    denial: Denial
    count: int
    above: int
