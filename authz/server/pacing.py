"""Working beside a thread that must not wait: in small steps, with rests between them.

The thread that decides lets go of the interpreter lock at every event of gRPC, and waits for whoever took it, up to the
switch interval. Somebody who works on without a rest makes it wait like that for every event, however little there is
to do for each. So what works in the background does so for `WORK` at most, and then leaves the interpreter alone.
The main thread of a process compiles before anything is served, and a command that serves nothing: it never rests.
"""

from __future__ import annotations

import threading
import time

WORK = 0.0003
"""Seconds of work between two rests: what one event may have to wait, once."""

REST = 0.0006
"""Seconds of a rest: work in the background takes a third of a processor at most."""

LONG_REST = 0.0015
"""Seconds of a rest of those who read and compile policies: new ones can wait, and a sixth of a processor is little
enough for calls under half a load not to begin to queue."""

PATIENT = 1.0
"""Seconds for which somebody rests long. What lasts is the change of very much at once, and that is to end, too."""


class Pace:
    """Called between steps of work, it rests when enough was done since the last rest; for one thread at a time."""

    __slots__ = ("_began", "_rest", "_rested")

    def __init__(self, rest: float = REST) -> None:
        self._rest = rest
        self._rested = 0.0
        self._began = 0.0

    def __call__(self) -> None:
        """Rest if it is time to."""
        now = time.monotonic()
        if now - self._rested < WORK or threading.current_thread() is threading.main_thread():
            return
        if now - self._rested > PATIENT:
            self._began = now
        time.sleep(self._rest if now - self._began < PATIENT else min(self._rest, REST))
        self._rested = time.monotonic()
