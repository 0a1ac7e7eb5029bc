"""The log of the process: JSON lines on standard error, about its life and its faults, never about a request.

What was decided is in the decision records. A fault of ours is named by its type and place only: the text of an
exception can hold what a caller sent.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import time
import traceback
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

QUIET = 60.0
"""Seconds for which a fault that was told is only counted."""


class JsonLines(logging.Formatter):
    """One JSON object per line: time, level, message, and what `extra={"fields": ...}` adds."""

    def __init__(self, worker: int | None = None) -> None:
        super().__init__()
        self._worker = {} if worker is None else {"worker": worker}

    def format(self, record: logging.LogRecord) -> str:
        """Write one record; an exception becomes its type and place."""
        time_ = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, object] = {
            "time": time_.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **self._worker,
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = place(record.exc_info[1])
        return json.dumps(line, default=str).replace("\x7f", "\\u007f")  # all of it ASCII, no control character


def set_up(level: str, worker: int | None = None) -> None:
    """Send everything that is logged to standard error, from `level` on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(worker))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # we tell ourselves, once, what does not arrive
    for library in ("uvicorn", "watchfiles"):  # they tell their own life
        logging.getLogger(library).setLevel(max(logging.WARNING, logging.getLogger().level))


def place(error: BaseException) -> str:
    """Name an exception by its type and the line that raised it, and one of the system's by what the system says."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {frames[-1].filename}:{frames[-1].lineno} in {frames[-1].name}" if frames else ""
    system = f" ({os.strerror(error.errno).lower()})" if isinstance(error, OSError) and error.errno else ""
    return type(error).__name__ + system + where


class FaultLog:
    """Tells faults of ours: the first of a kind at once, its repetitions once a minute and with their number."""

    def __init__(
        self,
        log: logging.Logger,
        message: str = "a fault of ours; the request was denied",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = log
        self._message = message
        self._clock = clock
        self._lock = threading.Lock()
        self._told: dict[str, float] = {}
        self._since: Counter[str] = Counter()
        self.count = 0

    def __call__(self, error: BaseException) -> None:
        """Count a fault, and tell it if its like was not told lately."""
        where, now = place(error), self._clock()
        with self._lock:
            self.count += 1
            self._since[where] += 1
            if now - self._told.get(where, -QUIET) < QUIET:
                return
            self._told[where] = now
            times = self._since.pop(where)
        self._log.error(self._message, extra={"fields": {"error": where, "times": times}})
