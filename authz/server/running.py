"""One process from its first signal to its last: start, answer, drain, stop."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from authz.server import signals
from authz.server.building import build

if TYPE_CHECKING:
    from authz.config import Settings
    from authz.server.process import Process

_log = logging.getLogger(__name__)

GRACE = 5.0
"""Seconds that checks under way may take to end after the drain; far beyond any caller's deadline."""


def run(settings: Settings, worker: int | None = None) -> int:
    """Serve until told to stop, and return the exit code; raises `Unavailable` where that can't begin."""
    signals.block()
    if worker is not None:
        signals.end_with_parent()
    process = build(settings, worker or 0)
    process.start()
    _answer(process)
    _log.info("stopping: checks are answered for the drain time", extra={"fields": {"drain": settings.drain}})
    process.drain()
    hurried = _drained(settings.drain)
    process.stop(0.0 if hurried else GRACE)
    return 0


def _answer(process: Process) -> None:
    while (got := signals.wait()) not in signals.STOP:
        if got == signals.RELOAD:
            process.reload()


def _drained(seconds: float) -> bool:
    """Wait out the drain time; say whether a second signal cut it short."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if signals.wait(left) in signals.STOP:
            return True
    return False
