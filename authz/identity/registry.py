"""The remote key sets of one process, by where they come from.

Policies come and go; keys stay as long as any policy in force names their origin, so that a reload neither forgets
them nor fetches them again. Building a provider only names an origin: fetching begins when `follow` is told what is
about to be in force, so reading policies (`authz check`) asks nobody.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from authz.identity.fetch import fetch
from authz.identity.jwks import Fetch, Origin, RemoteKeys

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class KeyRegistry:
    """Holds a `RemoteKeys` per origin. `follow` and `stop` belong to one thread; the rest is for any.

    `required` says whether a process without the keys of a provider is not `ready`.
    """

    def __init__(self, *, required: bool = True, clock: Callable[[], float] = time.time, get: Fetch = fetch) -> None:
        self._required = required
        self._clock = clock
        self._get = get
        self._lock = threading.Lock()
        self._known: dict[Origin, RemoteKeys] = {}
        self._followed: Mapping[str, RemoteKeys] = {}

    def keys(self, origin: Origin) -> RemoteKeys:
        """Return the keys of an origin, the same as before where it is known."""
        with self._lock:
            keys = self._known.get(origin)
            if keys is None:
                keys = self._known[origin] = RemoteKeys(origin, clock=self._clock, get=self._get)
            return keys

    def follow(self, providers: Mapping[str, RemoteKeys], patience: float = 0.0) -> None:
        """Fetch the keys of these providers and no others from now on.

        Waits until each that is new was fetched once, well or not, and at most `patience` seconds in all.
        """
        with self._lock:
            before, self._followed = self._followed, dict(providers)
            wanted = {keys.origin: keys for keys in providers.values()}
            gone = [keys for origin, keys in self._known.items() if origin not in wanted]
            new = [keys for keys in wanted.values() if keys not in before.values()]
            self._known = wanted
        for keys in gone:
            keys.stop()
        for keys in new:
            keys.start()
        deadline = time.monotonic() + patience
        for keys in new:
            keys.wait(max(0.0, deadline - time.monotonic()))

    def stop(self) -> None:
        """Fetch no more."""
        self.follow({})

    def followed(self) -> Mapping[str, RemoteKeys]:
        """Return the keys that are in force, by provider."""
        return self._followed

    def ages(self) -> dict[str, float | None]:
        """Return the seconds since each provider's keys were last fetched, `None` where they never were."""
        now = self._clock()
        return {name: keys.age(now) for name, keys in self._followed.items()}

    @property
    def ready(self) -> bool:
        """Say whether every provider has had keys since this process began, as far as that is required."""
        return not self._required or None not in self.ages().values()

    def status(self) -> dict[str, object]:
        """Say of each provider where its keys come from and how they are."""
        now = self._clock()
        return {name: keys.status(now) for name, keys in self._followed.items()}
