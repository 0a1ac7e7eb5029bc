"""Policies that are no longer in force, put away a little at a time.

Python frees what nobody holds in one go, and whoever lets go last waits for it, with the interpreter lock. Of ten
thousand documents, with all that requests made of them, that is long enough to be felt. So the thread that brings new
policies holds on to the old ones, and takes them apart in small steps (`pacing`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.policy.pauses import let_go
from authz.server.pacing import LONG_REST, Pace
from authz.store import Loaded

if TYPE_CHECKING:
    from collections.abc import Callable

    from authz.policy import PolicySet
    from authz.store import Snapshot, StoreEvent


class Retiring:
    """Called with what a store tells, on the thread that looked, it puts away what was in force before."""

    def __init__(self, snapshot: Callable[[], Snapshot | None], pause: Callable[[], None] | None = None) -> None:
        self._snapshot = snapshot
        self._pause = pause or Pace(LONG_REST)
        self._policies: PolicySet | None = None

    def __call__(self, event: StoreEvent) -> None:
        """Put away what the event says is no longer in force."""
        current = self._snapshot() if isinstance(event, Loaded) else None
        if current is None:
            return
        before, self._policies = self._policies, current.policies
        if before is None:
            return
        self._pause()
        left = before.retire(current.policies, self._pause)
        del before
        let_go(left, self._pause)
