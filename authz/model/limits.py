"""How often: limits, what one request wants from them, and what they answer."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from authz.model.reasons import Mode


class Algorithm(StrEnum):
    """How a limit counts."""

    SLIDING_WINDOW = "sliding-window"
    TOKEN_BUCKET = "token-bucket"  # noqa: S105 - the algorithm's name
    FIXED_WINDOW = "fixed-window"


class Align(StrEnum):
    """What a fixed window is a piece of, where it is one of the calendar."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


class Scope(StrEnum):
    """Where a limit is spent: at its store, or in each process from blocks that its store has charged ahead."""

    EXACT = "exact"
    LEASED = "leased"


class OnError(StrEnum):
    """What a limit answers while its store does not."""

    LOCAL = "local"
    ALLOW = "allow"
    DENY = "deny"


class Count(StrEnum):
    """Which requests a limit counts."""

    ALLOWED = "allowed"
    DENIED = "denied"
    ALL = "all"


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """How often: the part of a limit that no request changes. `name` is `document/limit`; `period` is seconds.

    Names are those of documents of one kind: with `guardrail` it is another limit than a policy's of the same name.
    `burst` is for the token bucket only and defaults to `requests`. `align` is for the fixed window only, whose windows
    are then those of the calendar of `time_zone` (an IANA name), and `period` the longest that they usually are.
    """

    name: str
    requests: int
    period: float
    algorithm: Algorithm = Algorithm.SLIDING_WINDOW
    burst: int | None = None
    align: Align | None = None
    time_zone: str = "UTC"
    count: Count = Count.ALLOWED
    mode: Mode = Mode.ENFORCE
    on_error: OnError = OnError.LOCAL
    scope: Scope = Scope.EXACT
    guardrail: bool = False


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    """What one request wants from one limit. `key` is the caller's part, a text per key expression."""

    limit: Limit
    key: tuple[str, ...]
    cost: int = 1


class LimitOutcome(StrEnum):
    """What one limit said to one charge."""

    OK = "ok"
    OVER = "over"
    WOULD_LIMIT = "would_limit"
    DEGRADED_ALLOW = "degraded_allow"
    DEGRADED_DENY = "degraded_deny"


class LimitUsage(msgspec.Struct, frozen=True, kw_only=True):
    """What one limit answered.

    `remaining` requests are left at this moment; `reset` seconds until the limit is whole again, `retry_after`
    seconds until one more charge of this cost would fit if nobody else comes (`None` unless over).
    """

    charge: Charge
    outcome: LimitOutcome
    remaining: int
    reset: float
    retry_after: float | None = None


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What all limits answered together: all were charged, or none was."""

    admitted: bool
    limits: tuple[LimitUsage, ...] = ()


UNLIMITED = Usage(admitted=True)
