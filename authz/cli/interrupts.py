"""The signals that end a verb which runs processes: none of those is left behind.

Ctrl-C raises `KeyboardInterrupt`, and blocks end in order. At SIGTERM, which ends a job in CI, and at SIGHUP, which
ends a terminal, Python would go at once: here they end blocks as Ctrl-C does. What was told to ignore one
(`nohup`) goes on ignoring it.
"""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import FrameType

    Handler = Callable[[int, FrameType | None], object]

_ENDS = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def orderly() -> Iterator[None]:
    """Have signals that end the process end the block first."""
    with _handled([number for number in _ENDS if signal.getsignal(number) is signal.SIG_DFL], _end):
        yield


@contextmanager
def unbroken() -> Iterator[None]:
    """Let a signal wait for the end of the block: of a process's start, and of noting who is to end it."""
    came: list[int] = []
    numbers = [number for number in (signal.SIGINT, *_ENDS) if callable(signal.getsignal(number))]
    with _handled(numbers, lambda number, _frame: came.append(number)):
        yield
    for number in came:
        signal.raise_signal(number)


@contextmanager
def _handled(numbers: Sequence[signal.Signals], handler: Handler) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, one in before.items():
            signal.signal(number, one)


def _end(number: int, _frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)  # ending takes a moment, in which a second one is to break nothing
    sys.exit(128 + number)  # what a shell calls the end by it
