"""Hints that something may have changed: inotify, through watchfiles.

Never the truth: events get lost, watches run out (`max_user_watches`), network file systems send none, and a folder
that is replaced takes its watches along. The store polls contents whether or not a hint comes; a hint only saves
the wait.
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

import watchfiles

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

RETRY = 30.0
"""Seconds until watching is tried again after it could not begin or broke off."""

STEP = 20
"""Milliseconds between two looks at what inotify brought; changes that come closer than that are one hint."""


class Hints:
    """A thread that calls `hint` soon after something happened at or under `sources`."""

    def __init__(self, sources: Sequence[Path], hint: Callable[[], None]) -> None:
        self._sources = sources
        self._hint = hint
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="policy-hints", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Stop watching and wait for the thread."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            # watchfiles passes on inotify's failures as one or the other; what is lost is only the hint.
            with contextlib.suppress(OSError, RuntimeError):
                self._watch()
            self._stop.wait(RETRY)

    def _watch(self) -> None:
        # A file is watched through its folder: a rename over it is an event of the folder.
        folders = {source if source.is_dir() else source.parent for source in self._sources}
        present = [folder for folder in folders if folder.is_dir()]
        if present:
            for _ in watchfiles.watch(
                *present, watch_filter=_tells, step=STEP, debounce=STEP, stop_event=self._stop, raise_interrupt=False
            ):
                self._hint()


def _tells(_change: object, path: str) -> bool:
    """Leave out what a kubelet writes before it renames `..data`, and what it removes afterwards."""
    return path.endswith("/..data") or "/.." not in path
