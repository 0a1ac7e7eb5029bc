"""How a limiter deals with Redis."""

from __future__ import annotations

import msgspec

from authz.limits.denials import MAX_DENIALS


class RedisOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How to deal with Redis. Times are seconds.

    `budget` is the longest a caller waits, `connect_timeout` the longest one attempt to connect takes. `max_waiting`
    callers queue, further ones are answered by `on_error` at once. `max_denials` counters are remembered as over (0:
    none). `processes` is how many share the limits, for `on_error: local`.
    """

    budget: float = 0.020
    connect_timeout: float = 0.5
    max_waiting: int = 1024
    max_denials: int = MAX_DENIALS
    processes: int = 1
