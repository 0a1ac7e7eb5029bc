"""Signals are waited for, and none is lost meanwhile."""

import signal
import subprocess
import sys

PROGRAM = """
import os, signal, threading
from authz.server import signals
signals.block()
threading.Thread(target=lambda: None).start()
for number in (signal.SIGHUP, signal.SIGTERM):
    os.kill(os.getpid(), number)
    print(signals.wait() == number)
print(signals.wait(0.01))
"""

CHILD = """
from authz.server import signals
signals.block()
signals.end_with_parent()
print("ready", flush=True)
print(signals.wait(20), flush=True)
"""

PARENT = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"


def test_a_signal_waits_until_it_is_asked_for() -> None:
    """Sent before anybody waits, it is returned to the first who does; with none, the wait ends in time."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout.split() == ["True", "True", "None"]


def test_a_worker_ends_with_its_parent() -> None:
    """When a supervisor is killed, its workers are told to stop."""
    command = [sys.executable, "-c", PARENT, CHILD]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "ready\n"
        parent.kill()
        assert parent.stdout.read() == f"{int(signal.SIGTERM)}\n"
