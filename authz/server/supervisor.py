"""Several workers: start them, keep them alive, pass signals on, end with them.

The supervisor decides nothing and never loads gRPC, which does not survive a fork; a worker is this program started
anew with `--worker`. Each has everything of its own, listens on the same TCP ports (SO_REUSEPORT) and on a Unix path
of its own, and gets its admin port by counting up. Standard output is one for all: see `turns`.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from authz.server import signals
from authz.server.turns import turns

if TYPE_CHECKING:
    from collections.abc import Sequence

SHORTEST_PAUSE = 0.1
LONGEST_PAUSE = 10.0
"""Seconds before a worker that ended is started again; doubled with every end that follows a short life."""

LONG_LIFE = 30.0
"""Seconds after which an end is news, not a repetition."""

PATIENCE = 10.0
"""Seconds beyond the drain time that a worker may take to end."""

_log = logging.getLogger(__name__)


class Worker:
    """One worker: the process it is, or the moment at which it is to be one again."""

    def __init__(self, number: int, command: Sequence[str], turns: int) -> None:
        self.number = number
        self._turns = turns
        self._command = [*command, "--worker", str(number)]
        self._pause = SHORTEST_PAUSE
        self._started = 0.0
        self.process: subprocess.Popen[bytes] | None = None
        self.due = 0.0

    def start(self) -> None:
        """Start the process, in a group of its own: Ctrl-C is for the supervisor to pass on."""
        self._started = time.monotonic()
        self.process = subprocess.Popen(self._command, stdin=self._turns, process_group=0)
        _log.info("worker started", extra={"fields": {"number": self.number, "pid": self.process.pid}})

    def reap(self) -> None:
        """If the process has ended, say so and set the time for the next."""
        if self.process is None or self.process.poll() is None:
            return
        now, status = time.monotonic(), self.process.returncode
        self._pause = SHORTEST_PAUSE if now - self._started > LONG_LIFE else min(self._pause * 2, LONGEST_PAUSE)
        self.process, self.due = None, now + self._pause
        _log.error("worker ended", extra={"fields": {"number": self.number, "status": status, "again_in": self._pause}})

    def signal(self, number: int) -> None:
        """Pass a signal on."""
        if self.process is not None:
            self.process.send_signal(number)


class Supervisor:
    """Runs `count` workers until it is told to stop. `drain` is the seconds that each may go on answering then."""

    def __init__(self, count: int, command: Sequence[str], *, drain: float) -> None:
        shared = turns()
        self._workers = [Worker(number, command, shared) for number in range(count)]
        self._drain = drain

    def run(self) -> int:
        """Start the workers, keep them alive until SIGTERM, and return 0 when all have ended."""
        signals.block()
        for worker in self._workers:
            worker.start()
        while (got := signals.wait(self._until_due())) not in signals.STOP:
            self._keep(got)
        return self._stop()

    def _keep(self, got: int | None) -> None:
        if got == signals.RELOAD:
            self._pass(signals.RELOAD)
        for worker in self._workers:
            worker.reap()
            if worker.process is None and worker.due <= time.monotonic():
                worker.start()

    def _until_due(self) -> float | None:
        due = [worker.due for worker in self._workers if worker.process is None]
        return min(due) - time.monotonic() if due else None

    def _stop(self) -> int:
        _log.info("stopping the workers", extra={"fields": {"drain": self._drain}})
        self._pass(signals.TERM)
        deadline = time.monotonic() + self._drain + PATIENCE
        while any(worker.process and worker.process.poll() is None for worker in self._workers):
            got = signals.wait(deadline - time.monotonic())
            if got in signals.STOP:
                self._pass(signals.TERM)
            elif got is None:
                _log.error("workers did not end in time and are killed")
                self._pass(signals.KILL)
        return 0

    def _pass(self, number: int) -> None:
        for worker in self._workers:
            worker.signal(number)


def command() -> list[str]:
    """Return the command that started this process, to start it anew."""
    return [sys.executable, *sys.orig_argv[1:]]
