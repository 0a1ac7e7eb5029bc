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
