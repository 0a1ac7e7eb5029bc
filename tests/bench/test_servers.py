"""Servers are started, watched and ended."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import load
import pytest
import servers
from checks import Check, WrongAnswerError, verify
from comparing import Effort, closed_loop

if TYPE_CHECKING:
    from pathlib import Path

EFFORT = Effort(rounds=1, seconds=0.2, warm_up=0.0)


@pytest.mark.parametrize("kind", sorted(servers.NOOPS))
def test_noop_allows_whatever_it_is_asked(kind: str, tmp_path: Path) -> None:
    """A no-op answers every call, and its CPU and memory are seen from outside."""
    with servers.noop(kind, tmp_path) as server:
        measured = closed_loop(server, [b"x"], EFFORT)
        resident = server.resident()

    assert measured.rate > 0
    assert measured.per_cpu > 0
    assert 10 << 20 < resident < 1 << 30


def test_what_others_work_is_told_apart(tmp_path: Path) -> None:
    """The calls of a benchmark and their answers are not counted as work of others; another process's work is."""
    with servers.noop("aio", tmp_path) as server:
        others = servers.Others(server)
        closed_loop(server, [b"x"], EFFORT)
        assert 0 <= others.share() <= 1.1
        others = servers.Others(server)
        burn = "import time\nwhile time.process_time() < 0.5: pass"
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-c", burn], check=True, preexec_fn=_on_the_cores)
        cores = len({servers.LOAD_CORE, servers.SERVER_CORE})
        assert others.share() * (time.perf_counter() - begun) * cores >= 0.4


def _on_the_cores() -> None:
    os.sched_setaffinity(0, {servers.LOAD_CORE, servers.SERVER_CORE})


def test_server_is_gone_behind_its_block(tmp_path: Path) -> None:
    """Nothing listens any more once the block has ended."""
    with servers.noop("aio", tmp_path) as server:
        target = server.target
    with pytest.raises(OSError, match=r"refused|No such file"):
        load.run(target, [b""], calls=1)


def test_server_that_does_not_start_is_an_error(tmp_path: Path) -> None:
    """A process that ends before it is ready is reported at once, with its command and status."""
    command = [sys.executable, "-c", "raise SystemExit(3)"]
    with (
        pytest.raises(servers.ServerError, match="ended with status 3"),
        servers.running(command, "unix:/nowhere", output=tmp_path / "out", ready=lambda _: False),
    ):
        pass


def test_wrong_answers_are_not_measured(tmp_path: Path) -> None:
    """A server that allows what must be denied fails verification."""
    with servers.noop("threads", tmp_path) as server:
        verify(server.target, [Check(path="/a")])
        with pytest.raises(WrongAnswerError, match="/b"):
            verify(server.target, [Check(path="/b", allowed=False)])
