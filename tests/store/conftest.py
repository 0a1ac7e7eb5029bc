"""Volumes as a kubelet makes them, a compiler that is none, and a store whose events can be waited for."""

import itertools
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from authz.errors import Fault, PolicyFaults
from authz.store import PolicyStore, StoreEvent
from authz.store.store import Watching


class Volume:
    """A ConfigMap volume: `name -> ..data/name`, `..data -> ..timestamp`, updated as a kubelet does it.

    The steps and their order are those of `pkg/volume/util/atomic_writer.go`.
    """

    def __init__(self, folder: Path, files: Mapping[str, str]) -> None:
        self.folder = folder
        self._stamps = itertools.count()
        folder.mkdir(parents=True)
        self.swap(files)

    def swap(self, files: Mapping[str, str]) -> None:
        """Replace every file at once."""
        link = self.folder / "..data"
        old = self.folder / link.readlink() if link.is_symlink() else None
        new = self.folder / f"..2026_11_23_{next(self._stamps):09}"
        for name, content in files.items():
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            (new / name).write_text(content)
        (self.folder / "..data_tmp").symlink_to(new.name)
        (self.folder / "..data_tmp").rename(link)
        for top in {name.partition("/")[0] for name in files}:
            if not (self.folder / top).is_symlink():
                (self.folder / top).symlink_to(f"..data/{top}")
        for entry in self.folder.iterdir():
            if not entry.name.startswith("..") and not entry.exists():
                entry.unlink()
        if old is not None:
            shutil.rmtree(old)


class Policies(NamedTuple):
    """What the compiler of these tests makes."""

    files: Mapping[str, bytes]
    digest: str


class LineCompiler:
    """Compiles anything, except a file that begins with `broken`; then every such file is a fault."""

    def __init__(self) -> None:
        self.compiled = 0

    def compile(self, files: Mapping[str, bytes]) -> Policies:
        """Count, refuse what is broken, keep the rest."""
        self.compiled += 1
        faults = [
            Fault(file=name, line=1, column=1, message=content.decode("latin1"))
            for name, content in files.items()
            if content.startswith(b"broken")
        ]
        if faults:
            raise PolicyFaults(faults)
        return Policies(dict(files), f"digest-{self.compiled}")


class Watched:
    """A store, and the events it told."""

    def __init__(self, sources: list[Path], watching: Watching, compiler: object, **more: Any) -> None:
        self._changed = threading.Condition()
        self.events: list[StoreEvent] = []
        self.store = PolicyStore(sources, compiler, on_event=self._told, watching=watching, **more)

    def _told(self, event: StoreEvent) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def wait(self, number: int) -> StoreEvent:
        """Wait for the event with this number and return it."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.events) > number, timeout=20), self.events
            return self.events[number]

    def words(self) -> list[str]:
        """Name the events."""
        return [type(event).__name__ for event in self.events]

    def served(self) -> dict[str, str]:
        """Return the contents in force, by file name."""
        assert self.store.current is not None
        return {os.path.basename(name): content.decode() for name, content in self.store.current.policies.files.items()}  # noqa: PTH119


FAST = Watching(interval=0.05, settle=0.02, hints=False)
"""Polls alone, often: what is left when every inotify event is lost."""


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Watched]]:
    """Make a store that has looked once and is watching; it is stopped at the end. Its polls may cost half the time."""
    monkeypatch.setattr("authz.store.store.POLL_SHARE", 1)
    started = []

    def start(*sources: Path, watching: Watching = FAST, compiler: object = None, **more: Any) -> Watched:
        watched = Watched(list(sources), watching, compiler or LineCompiler(), **more)
        watched.store.load()
        watched.store.start()
        started.append(watched.store)
        return watched

    yield start
    for store in started:
        store.stop()


@pytest.fixture
def volume(tmp_path: Path) -> Callable[[str, Mapping[str, str]], Volume]:
    """Make a ConfigMap volume at a path below the test's folder."""
    return lambda where, files: Volume(tmp_path / where, files)
