"""The remote key sets of one process, by where they come from.

Policies come and go; keys stay as long as any policy in force names their origin, so that a reload neither forgets
them nor fetches them again. Building a provider only names an origin: fetching begins when `follow` is told what is
to be in force, so reading policies (`authz check`) asks nobody.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from authz.identity.jwks import Fetch, Origin, RemoteKeys

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable


class KeyRegistry:
    """Holds a `RemoteKeys` per origin. `follow` and `stop` belong to one thread; the rest is for any."""

    def __init__(self, clock: Callable[[], float] = time.time, get: Fetch | None = None) -> None:
        self._clock = clock
        self._get = get
        self._lock = threading.Lock()
        self._known: dict[Origin, RemoteKeys] = {}
        self._followed: frozenset[Origin] = frozenset()

    def keys(self, origin: Origin) -> RemoteKeys:
        """Return the keys of an origin, the same as before where it is known."""
        with self._lock:
            keys = self._known.get(origin)
            if keys is None:
                fetching = {} if self._get is None else {"get": self._get}
                keys = self._known[origin] = RemoteKeys(origin, clock=self._clock, **fetching)
            return keys

    def follow(self, origins: Collection[Origin], patience: float = 0.0) -> None:
        """Fetch from these origins and no others from now on; wait `patience` seconds at most for the first keys."""
        wanted = frozenset(origins)
        with self._lock:
            gone = [self._known.pop(origin) for origin in self._known.keys() - wanted]
            new = [self._known[origin] for origin in wanted - self._followed]
            self._followed = wanted
        for keys in gone:
            keys.stop()
        for keys in new:
            keys.start()
        deadline = time.monotonic() + patience
        for keys in new:
            keys.wait(max(0.0, deadline - time.monotonic()))

    def stop(self) -> None:
        """Fetch no more."""
        self.follow(())

    def followed(self) -> Iterable[RemoteKeys]:
        """Return the keys of what is in force."""
        with self._lock:
            return [self._known[origin] for origin in self._followed]
