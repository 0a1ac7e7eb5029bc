"""Redis going and coming back, told once each: limits answer by themselves in between, and nobody else would notice.

No call is told here, and nothing is retried: when Redis counts as gone is the breaker's to say.
"""

from __future__ import annotations

import logging

from authz.limits.breaker import BreakerState

LOG = logging.getLogger(__name__)


class Outage:
    """Tells when the breaker has opened, and when it is closed again; a probe that fails in between is no news."""

    def __init__(self) -> None:
        self._known = False
        self._since = 0.0

    def seen(self, state: BreakerState, error: str | None, now: float) -> None:
        """Look at the breaker's state, and tell if it is another than last time."""
        down = state is not BreakerState.CLOSED
        if down is self._known:
            return
        self._known = down
        if down:
            self._since = now
            LOG.warning("redis does not answer, limits go by their on_error", extra={"fields": {"error": error}})
        else:
            LOG.info("redis answers again", extra={"fields": {"seconds": round(now - self._since, 3)}})
