"""Opening a link, on a thread of its own because connecting blocks; one attempt at a time."""

from __future__ import annotations

from collections import deque
from threading import Thread
from typing import TYPE_CHECKING

from authz.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from authz.limits.connection import Link


class Dialer:
    """Dials when told and leaves what came of it for the limiter thread, which it wakes."""

    def __init__(self, connect: Callable[[], Link], script: str, wake: Callable[[], None]) -> None:
        self._connect = connect
        self._script = script
        self._wake = wake
        self._results: deque[Link | Unavailable] = deque()
        self._thread: Thread | None = None

    @property
    def busy(self) -> bool:
        """Whether an attempt is under way or its result not yet taken."""
        return self._thread is not None

    def dial(self) -> None:
        """Begin an attempt, unless one is under way."""
        if self._thread is None:
            self._thread = Thread(target=self._attempt, name="authz-limiter-dial", daemon=True)
            self._thread.start()

    def result(self) -> Link | Unavailable | None:
        """Take what the attempt brought: an open link, why there is none, or `None` while it lasts."""
        if not self._results:
            return None
        self._thread = None
        return self._results.popleft()

    def close(self) -> None:
        """Wait for an attempt that is under way, and close what it brought."""
        if self._thread is not None:
            self._thread.join()
        result = self.result()
        if result is not None and not isinstance(result, Unavailable):
            result.close()

    def _attempt(self) -> None:
        try:
            link = self._connect()
            link.open(self._script)
            self._results.append(link)
        except Unavailable as error:
            self._results.append(error)
        except Exception as error:  # noqa: BLE001 - a password file that is gone, a resolver that breaks: all the same
            self._results.append(Unavailable(type(error).__name__))
        self._wake()
