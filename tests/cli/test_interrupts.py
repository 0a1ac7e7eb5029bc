"""What ends a verb that runs processes ends them first."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from authz.cli.interrupts import orderly, unbroken

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 60.0


USUAL = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL, signal.SIGHUP: signal.SIG_DFL}


@pytest.fixture(autouse=True)
def usual() -> Iterator[None]:
    """Deal with signals as a terminal has it: whoever runs tests in the background has Ctrl-C ignored."""
    before = {number: signal.signal(number, handler) for number, handler in USUAL.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def scratch() -> Iterator[Path]:
    """Return a folder for what verbs make, whose name is short enough for sockets."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def run_in(folder: Path) -> list[int]:
    """Return the processes that have a folder on their command line."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if os.fsencode(folder) in (process / "cmdline").read_bytes():
                found.append(int(process.name))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_tests_through_envoy_leave_nothing_running(number: signal.Signals, policies: Path, scratch: Path) -> None:
    """At Ctrl-C, the end of a job in CI, and that of a terminal: no Envoy, no folder, and no traceback."""
    (policies / "a_test.yaml").write_text(
        "apiVersion: authz/v1\nkind: PolicyTest\nmetadata: {name: a}\nspec:\n  cases:\n"
        "    - {name: a, request: {url: https://shop.example.com/orders/7}, expect: deny}\n"
    )
    command = [sys.executable, "-m", "authz", "test", os.path.relpath(policies), "--through-envoy"]
    with subprocess.Popen(
        command, env={**os.environ, "TMPDIR": str(scratch)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as verb:
        deadline = time.monotonic() + PATIENCE
        while not run_in(scratch):
            assert verb.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.005)
        verb.send_signal(number)
        assert verb.communicate(timeout=PATIENCE) == ("", "")
    assert verb.returncode == (128 + number)
    assert run_in(scratch) == []
    assert list(scratch.iterdir()) == []


def test_a_signal_waits_until_it_is_known_who_ends_a_process() -> None:
    """It strikes at the end of the block, whichever it is, and is dealt with as it was before."""
    done = []

    def start(number: signal.Signals) -> None:
        with orderly(), unbroken():
            signal.raise_signal(number)
            done.append(number)

    with pytest.raises(KeyboardInterrupt):
        start(signal.SIGINT)
    with pytest.raises(SystemExit, match="143"):
        start(signal.SIGTERM)
    assert done == [signal.SIGINT, signal.SIGTERM]
    assert {number: signal.getsignal(number) for number in USUAL} == USUAL


def test_a_second_one_does_not_break_the_end() -> None:
    """What ends takes a moment, and is ended whole."""
    ended = []

    def work() -> None:
        with orderly():
            try:
                signal.raise_signal(signal.SIGTERM)
            finally:
                signal.raise_signal(signal.SIGTERM)
                ended.append("whole")

    with pytest.raises(SystemExit, match="143"):
        work()
    assert ended


def test_what_is_ignored_stays_so() -> None:
    """`nohup authz demo` outlives its terminal."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with orderly(), unbroken():
        signal.raise_signal(signal.SIGHUP)
