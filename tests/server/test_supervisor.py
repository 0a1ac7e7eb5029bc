"""Workers are started, kept alive, told what the supervisor is told, and ended with it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

SUPERVISOR = """
import sys
from authz.server import supervisor
supervisor.SHORTEST_PAUSE = 0.01
supervisor.PATIENCE = 0.5
assert "grpc" not in sys.modules
status = supervisor.Supervisor(2, [sys.executable, "-c", sys.argv[1]], drain=float(sys.argv[2])).run()
print("supervisor", status, flush=True)
"""

WORKER = """
import os, sys
from authz.server import signals
def print(*words): os.write(1, (" ".join(map(str, words)) + "\\n").encode())
signals.block()
signals.end_with_parent()
number = sys.argv[-1]
print("up", number, os.getpid())
while (got := signals.wait()) != signals.TERM:
    print("got", number, int(got))
print("down", number)
"""

DEAF = WORKER.replace("while (got := signals.wait()) != signals.TERM:", "while got := signals.wait():")


class Running:
    """A supervisor, and what it and its workers say."""

    def __init__(self, worker: str, drain: float) -> None:
        command = [sys.executable, "-c", SUPERVISOR, worker, str(drain)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def lines(self, number: int) -> list[str]:
        """Wait for so many lines and return them in order of their text."""
        assert self.process.stdout is not None
        return sorted(self.process.stdout.readline().strip() for _ in range(number))

    def pids(self) -> list[int]:
        """Wait until both workers are up and return their process ids."""
        return [int(line.split()[2]) for line in self.lines(2)]


@pytest.fixture
def running(request: pytest.FixtureRequest) -> Iterator[Running]:
    """Start a supervisor of two workers and end it whatever happens."""
    started = Running(getattr(request, "param", WORKER), drain=20 if not hasattr(request, "param") else 0)
    yield started
    started.process.kill()
    assert started.process.stdout is not None
    started.process.stdout.read()
    started.process.stdout.close()
    started.process.wait()


def test_a_signal_to_stop_ends_every_worker_then_the_supervisor(running: Running) -> None:
    """SIGTERM is passed on, and the supervisor exits 0 when the last worker has."""
    running.pids()
    running.process.terminate()
    assert running.lines(3) == ["down 0", "down 1", "supervisor 0"]
    assert running.process.wait(20) == 0


def test_a_reload_reaches_every_worker(running: Running) -> None:
    """SIGHUP is passed on."""
    running.pids()
    running.process.send_signal(signal.SIGHUP)
    assert running.lines(2) == [f"got 0 {int(signal.SIGHUP)}", f"got 1 {int(signal.SIGHUP)}"]


def test_a_worker_that_crashes_is_started_again(running: Running) -> None:
    """Its place is filled by a new process with the same number; the other is left alone."""
    first, second = running.pids()
    os.kill(second, signal.SIGKILL)
    (line,) = running.lines(1)
    assert line.startswith("up 1 ")
    assert int(line.split()[2]) not in (first, second)


def test_interrupting_the_terminal_reaches_the_supervisor_alone(running: Running) -> None:
    """Workers are in groups of their own, so Ctrl-C is one signal to them and not two."""
    pids = running.pids()
    assert {os.getpgid(pid) for pid in pids} == set(pids)
    running.process.send_signal(signal.SIGINT)
    assert running.lines(3) == ["down 0", "down 1", "supervisor 0"]


@pytest.mark.parametrize("running", [DEAF], indirect=True)
def test_a_worker_that_does_not_end_is_killed(running: Running) -> None:
    """The supervisor ends, whatever its workers do."""
    running.pids()
    running.process.terminate()
    lines = running.lines(3)
    assert lines[-1] == "supervisor 0"


@pytest.mark.parametrize("running", [r"import os; os.write(1, b'dead\n')"], indirect=True)
def test_a_worker_that_never_lives_is_tried_again(running: Running) -> None:
    """Ever more slowly, and without end."""
    assert set(running.lines(8)) == {"dead"}
