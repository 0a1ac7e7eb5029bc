"""How our threads share a processor."""

from __future__ import annotations

import os
import sys
from contextlib import suppress


def give_way() -> None:
    """Have the calling thread wait for its turn when it is woken, instead of pushing aside the one that runs.

    Who hands work to another thread and goes on would be stopped for each piece, and the next: on one core that is as
    much as a tenth of a check. Woken without haste, the other finds many pieces. Its share of the processor is as ever
    (sched(7), SCHED_BATCH; it takes no privilege). Does nothing where that can't be had.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def give_turn() -> None:
    """Let threads that wait for this processor go first, once; costs a microsecond where there are none.

    Not for a thread that gives way: it would be passed over (sched_yield(2)). Does nothing where that can't be had.
    """
    if sys.platform == "linux":
        os.sched_yield()
