"""Signals, waited for instead of caught: the main thread asks for the next one, nothing is ever interrupted.

A handler can run inside any line of the main thread, also inside a lock it would need. So all are blocked before the
first thread starts (threads and programs inherit that), and `wait` takes them one by one.
"""

from __future__ import annotations

import ctypes
import signal

TERM, KILL, RELOAD = signal.SIGTERM, signal.SIGKILL, signal.SIGHUP
STOP = frozenset({TERM, signal.SIGINT})

_ALL = STOP | {RELOAD, signal.SIGCHLD}
_PR_SET_PDEATHSIG = 1


def block() -> None:
    """Keep signals back until `wait` asks for them. Call before starting threads."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _ALL)


def wait(timeout: float | None = None) -> int | None:
    """Return the next signal, or `None` after `timeout` seconds."""
    if timeout is None:
        return signal.sigwait(_ALL)
    got = signal.sigtimedwait(_ALL, max(timeout, 0.0))
    return None if got is None else got.si_signo


def end_with_parent() -> None:
    """Have SIGTERM sent to this process when the one that started it dies, in whatever way (prctl(2))."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, TERM)
