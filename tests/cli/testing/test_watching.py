"""Running again whenever a file changes."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from authz.cli.output import Exit
from authz.cli.testing.watching import again

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_a_change_is_answered_by_another_run(tmp_path: Path) -> None:
    """Once at the start, once for a file that was replaced; then it ends when it is told to."""
    file = tmp_path / "a_test.yaml"
    file.write_text("1")
    begun, stop, changed, runs = threading.Event(), threading.Event(), threading.Event(), []

    def do() -> None:
        runs.append(file.read_text())
        begun.set()
        if runs[-1] == "2":
            stop.set()

    def edit() -> None:
        begun.wait(30)
        while not stop.is_set():  # until the watcher, which starts when it starts, has seen one of them
            file.with_suffix(".new").write_text("2")
            file.with_suffix(".new").rename(file)
            changed.wait(0.05)

    editor = threading.Timer(0.0, edit)
    watcher = threading.Thread(target=again, args=(lambda: [file], do, stop))
    watcher.start()
    editor.start()
    watcher.join(30)
    stop.set()
    editor.join(5)
    assert (runs[0], runs[-1]) == ("1", "2")


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Have processes hear of SIGINT, which a shell's background jobs, and all that they start, are deaf to."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_ends_it_with_what_came_of_the_last_run(tmp_path: Path) -> None:
    """Nothing is run once more, no library speaks up, and the exit code is that of the last run."""
    (tmp_path / "a_test.yaml").write_text("kind: PolicyTest\n")
    (tmp_path / "tenants.yaml").write_text("apiVersion: authz/v1\nkind: Data\nmetadata: {name: a}\n")
    command = [sys.executable, "-m", "authz", "test", str(tmp_path), "--watch"]
    watching = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert watching.stdout is not None
    lines = []
    for line in watching.stdout:
        lines.append(line)
        if "Ctrl-C ends" in line:
            break
    watching.send_signal(signal.SIGINT)
    rest, _ = watching.communicate(timeout=30)
    assert rest == ""
    assert watching.returncode == Exit.POLICIES
    assert sum("apiVersion" in line for line in lines) == 1
