"""Hints are help, never needed."""

import errno
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import watchfiles

from authz.store import hints
from authz.store.hints import Hints


def test_a_change_is_hinted_at(tmp_path: Path) -> None:
    """Writing under a watched folder, or over a watched file, calls `hint`."""
    (tmp_path / "single.yaml").write_text("")
    (tmp_path / "nested").mkdir()
    hinted = threading.Event()
    watch = Hints([tmp_path / "single.yaml"], hinted.set)
    watch.start()
    for number in range(200):  # the watch begins at a moment of its own
        (tmp_path / "nested" / "a.yaml").write_text(str(number))
        if hinted.wait(0.1):
            break
    watch.stop()
    assert hinted.is_set()


def test_reading_is_no_change(tmp_path: Path) -> None:
    """The store's own polls hint at nothing; else each would bring the next."""
    file = tmp_path / "a.yaml"
    file.write_text("a")
    hinted = threading.Semaphore(0)
    watch = Hints([tmp_path], hinted.release)
    watch.start()
    while not hinted.acquire(timeout=0.1):
        file.write_text("b")
    while hinted.acquire(timeout=0.3):
        pass
    for _ in range(50):
        file.read_bytes()
        list(tmp_path.iterdir())
    assert not hinted.acquire(timeout=0.4)
    watch.stop()


def test_without_watches_there_are_no_hints_and_no_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the kernel has no watch left (`max_user_watches`), it is tried again and nothing breaks (row L1)."""
    tries = threading.Semaphore(0)

    def exhausted(*_: object, **__: object) -> Iterator[None]:
        tries.release()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(hints, "RETRY", 0.01)
    monkeypatch.setattr(watchfiles, "watch", exhausted)
    watch = Hints([tmp_path], lambda: None)
    watch.start()
    assert all(tries.acquire(timeout=10) for _ in range(3))
    watch.stop()


def test_a_folder_that_is_missing_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Watching begins when there is something to watch."""
    monkeypatch.setattr(hints, "RETRY", 0.01)
    hinted = threading.Event()
    watch = Hints([tmp_path / "late" / "policies"], hinted.set)
    watch.start()
    (tmp_path / "late" / "policies").mkdir(parents=True)
    for number in range(200):
        (tmp_path / "late" / "policies" / "a.yaml").write_text(str(number))
        if hinted.wait(0.1):
            break
    watch.stop()
    assert hinted.is_set()
