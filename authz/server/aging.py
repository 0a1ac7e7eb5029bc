"""Policies grow old when the folders no longer hold what is in force, and nothing better came.

The age is the time since a look at the folders last found there what is in force. It stays near zero while looks
succeed, and grows while the folders are broken, gone or refused, or while nobody looks any more; so a service that is
cut off from its source does not go on for ever with what may have been taken back. What follows is a setting.
"""

from __future__ import annotations

import logging
import threading
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from authz.store import PolicyStore, Snapshot

OFTEN = 1.0
"""Seconds between looks at policies that are too old, to see when they are not."""

SELDOM = 60.0

_log = logging.getLogger(__name__)


class OnAge(StrEnum):
    """What policies that are too old have for consequence; each has those before it too."""

    WARN = "warn"
    NOT_READY = "not_ready"
    DENY = "deny"


class Aging:
    """Watches the age of what a store has in force. `expired` says that it is over `most` seconds.

    `record` is told when that begins and ends.
    """

    def __init__(
        self, store: PolicyStore, *, most: float, action: OnAge, record: Callable[[Mapping[str, object]], None]
    ) -> None:
        self._store = store
        self._most = most
        self._action = action
        self._record = record
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="aging", daemon=True)
        self.expired = False

    @property
    def ready(self) -> bool:
        """Return whether requests should come here."""
        return not self.expired or self._action is OnAge.WARN

    def snapshot(self) -> Snapshot | None:
        """Return what decides: nothing, and so everything is denied, where that is what old policies are to do."""
        return None if self.expired and self._action is OnAge.DENY else self._store.current

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Watch no more."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._look()):
            pass

    def _look(self) -> float:
        """Settle whether what is in force is too old, tell a change, and return the seconds until the next look."""
        age = self._store.age
        if age is None:
            return OFTEN
        expired = age > self._most
        if expired != self.expired:
            self.expired = expired
            self._tell(age)
        return OFTEN if expired else min(max(self._most - age, 0.01), SELDOM)

    def _tell(self, age: float) -> None:
        about = {"age": round(age, 3), "most": self._most, "action": self._action.value}
        if self.expired:
            _log.error("policies are older than they may be", extra={"fields": about})
        else:
            _log.info("policies are what the folders hold again", extra={"fields": about})
        self._record({"event": "policies_expired" if self.expired else "policies_confirmed", **about})
