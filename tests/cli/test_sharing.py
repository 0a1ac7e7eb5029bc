"""Work that several processes do."""

import math
import os
import signal
import subprocess
import sys

import pytest

from authz.cli.sharing import shared_out
from authz.errors import Unavailable

WAITING = """
import os, signal, time
from functools import partial
from authz.cli.sharing import shared_out
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job of a shell is deaf to it
try:
    list(shared_out(time.sleep, [600.0] * 8, 2, partial(os.write, 1, b".")))
except KeyboardInterrupt:
    raise SystemExit(130)
"""


def test_each_item_is_done_once_and_keeps_its_number() -> None:
    """Whichever process did it, and whenever."""
    assert dict(shared_out(math.factorial, [3, 4, 5], 2)) == {0: 6, 1: 24, 2: 120}


def test_what_the_work_raises_is_raised_here() -> None:
    """As if it had been done here."""
    with pytest.raises(ValueError, match="negative"):
        list(shared_out(math.factorial, [-1], 1))


def test_a_process_that_is_killed_is_told() -> None:
    """The kernel does so where memory ends; nobody could read that out of a broken pool."""
    with pytest.raises(Unavailable, match="a process that worked for this one was killed"):
        list(shared_out(os._exit, [1, 1], 2))


@pytest.mark.parametrize("ready", [1, 2])
def test_ctrl_c_ends_all_without_a_word(ready: int) -> None:
    """Also where a process is still starting: no traceback of any of them, and none is left."""
    ran = subprocess.Popen(
        [sys.executable, "-c", WAITING], stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    assert ran.stdout is not None
    assert ran.stdout.read(ready) == b"." * ready
    os.killpg(ran.pid, signal.SIGINT)
    _, told = ran.communicate(timeout=30)  # the pipes end when the last process does
    assert (ran.returncode, told) == (130, b"")
