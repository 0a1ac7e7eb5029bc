"""How the limiter thread sleeps: until a time, until its connection has something, or until somebody rings.

One poll over both, so that nothing is looked at in turns. Who rings does so from any thread, and only where the thread
sleeps for longer than they can wait. What it is woken for is not known here.
"""

from __future__ import annotations

import select
import socket
from contextlib import suppress

NEVER = float("inf")


class Bell:
    """Wakes one thread. `wakes_at` is when it wakes by itself: whoever can't wait for that is to ring."""

    def __init__(self) -> None:
        self._ear, self._rope = socket.socketpair()
        self._ear.setblocking(False)
        self._rope.setblocking(False)
        self._poll = select.poll()
        self._poll.register(self._ear.fileno(), select.POLLIN)
        self.wakes_at = 0.0

    def ring(self) -> None:
        """Wake it, from any thread."""
        with suppress(OSError):  # full: it rings already; closed: nobody sleeps
            self._rope.send(b"!")

    def ring_before(self, deadline: float) -> None:
        """Wake it if it would sleep until then."""
        if deadline < self.wakes_at:
            self.wakes_at = 0.0  # the next need not ring again
            self.ring()

    def hear(self, descriptor: int, *, writable: bool = False) -> None:
        """Wake also for what can be read of a connection, or written to it."""
        self._poll.register(descriptor, select.POLLIN | (select.POLLOUT if writable else 0))

    def ignore(self, descriptor: int) -> None:
        """Wake for this connection no more."""
        self._poll.unregister(descriptor)

    def sleep(self, seconds: float) -> bool:
        """Sleep for that long at most; say whether the connection has something."""
        events = self._poll.poll(None if seconds == NEVER else seconds * 1000)
        self.wakes_at = 0.0
        heard = False
        for descriptor, _ in events:
            if descriptor == self._ear.fileno():
                self._ear.recv(4096)
            else:
                heard = True
        return heard

    def close(self) -> None:
        """Wake nobody any more."""
        self._ear.close()
        self._rope.close()
