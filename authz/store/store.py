"""The policies in force: one reference, swapped whole; the last good stays whatever the folders come to hold.

The way of a change: a hint or the interval wakes the watch thread; the folders are read; a plain folder must read the
same twice, `settle` seconds apart, since an editor writes in pieces; the compiler makes a policy set of it; `current`
is replaced. Requests read `current` once and never wait for any of this. Where a step fails nothing is replaced, and
that is told once for each different failure.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Protocol

import msgspec

from authz.errors import FailedTests, Fault, PolicyFaults
from authz.store.checkout import described
from authz.store.events import Loaded, Pinned, Refused, StoreEvent, Unchanged
from authz.store.folders import MAX_BYTES, Reading, read, unhurried, unreadable
from authz.store.hints import Hints
from authz.store.mounts import MOUNTINFO, pinned
from authz.store.provenance import FILE, Provenance, label, parsed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from authz.policy import PolicySet
    from authz.store.signatures import Trust

SETTLE_ATTEMPTS = 40
"""Readings of a folder that never stops changing before that is a fault."""

POLL_SHARE = 100
"""A poll waits at least this many times as long as a reading takes, so that polling costs at most a hundredth."""

HINT_SHARE = 10
"""The same after a hint: a folder in which something is always written costs at most a tenth."""


class Compiler(Protocol):
    """Makes a policy set of what the folders hold; compiling again what did not change should be cheap."""

    def compile(self, files: Mapping[str, bytes], /) -> PolicySet:
        """Compile contents by path; raises `PolicyFaults` with every fault."""


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The policies of one generation. `loaded_at` is seconds since the epoch, `commit` sums up their `provenance`."""

    policies: PolicySet
    generation: int
    loaded_at: float
    commit: str = ""
    provenance: Mapping[str, Provenance] = {}


class Watching(msgspec.Struct, frozen=True, kw_only=True):
    """How folders are watched: seconds between polls, seconds of stillness, bytes in all, hints or polls alone.

    `tests` says that the compiler is to be handed tests too, and that a change of them is a change; `pause` is called
    between files.
    """

    interval: float = 5.0
    settle: float = 0.25
    max_bytes: int = MAX_BYTES
    hints: bool = True
    tests: bool = False
    pause: Callable[[], None] = unhurried


class PolicyStore:
    """Keeps `current` what the folders hold, or the last that could be served.

    `current` is `None` until policies could be loaded: then everything is denied. `faults` is why what the folders
    hold now is not in force; empty when it is. `on_event` is called on the thread that looked, and must not raise.
    """

    def __init__(
        self,
        sources: Sequence[Path],
        compiler: Compiler,
        *,
        on_event: Callable[[StoreEvent], None],
        watching: Watching | None = None,
        trust: Trust | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._sources = tuple(sources)
        self._compiler = compiler
        self._on_event = on_event
        self._watching = watching or Watching()
        self._trust = trust
        self._clock = clock
        self._looking = threading.Lock()
        self._served: str | None = None
        self._refused: str | None = None
        self._cost = 0.0
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._asked = False
        self._thread = threading.Thread(target=self._run, name="policy-store", daemon=True)
        self._hints = Hints(self._sources, self._wake.set)
        self._confirmed = 0.0
        self.current: Snapshot | None = None
        self.faults: tuple[Fault, ...] = ()

    @property
    def age(self) -> float | None:
        """Return the seconds since a look last found in the folders what is in force; `None` where nothing is."""
        return None if self.current is None else time.monotonic() - self._confirmed

    def load(self) -> None:
        """Look at the folders now, in this thread, and tell what came of it."""
        with self._looking:
            reading = self._read()
            self._warn(reading)
            self._take(reading, asked=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()
        if self._watching.hints:
            self._hints.start()

    def reload(self) -> None:
        """Have the watch thread look now, and tell what came of it even if nothing did."""
        self._asked = True
        self._wake.set()

    def stop(self) -> None:
        """Stop watching; what is in force stays."""
        self._stop.set()
        self._wake.set()
        self._thread.join()
        if self._watching.hints:
            self._hints.stop()

    def _run(self) -> None:
        while not self._stop.wait(HINT_SHARE * self._cost):
            self._wake.wait(max(self._watching.interval, POLL_SHARE * self._cost))
            self._wake.clear()
            asked, self._asked = self._asked, False
            with self._looking:
                reading = self._settled()
                if reading is not None:
                    self._take(reading, asked=asked)

    def _read(self) -> Reading:
        begun = time.thread_time()
        watching = self._watching
        try:
            reading = read(self._sources, max_bytes=watching.max_bytes, tests=watching.tests, pause=watching.pause)
        except Exception as error:  # noqa: BLE001 - one look that fails must not be the last
            reading = unreadable(_unexpected(error, "read"))
        self._cost = time.thread_time() - begun
        return reading

    def _settled(self) -> Reading | None:
        """Read until two readings agree; `None` when stopped. What can't be half-written is read once."""
        reading = self._read()
        for _ in range(SETTLE_ATTEMPTS):
            if reading.swapped or reading.content in (self._served, self._refused):
                return reading
            if self._stop.wait(self._watching.settle):
                return None
            again = self._read()
            if again.content == reading.content:
                return again
            reading = again
        fault = Fault(file=str(self._sources[0]), message="keeps changing while it is read")
        return msgspec.structs.replace(reading, faults=(fault,), content="")

    def _take(self, reading: Reading, *, asked: bool) -> None:
        if reading.content == self._served:
            self._confirmed = time.monotonic()
            if asked or self.faults:
                self._keep()
        elif reading.content != self._refused or asked:
            self._swap(reading, asked=asked)

    def _keep(self) -> None:
        self.faults, self._refused = (), None
        self._on_event(Unchanged(generation=self._generation()))

    def _swap(self, reading: Reading, *, asked: bool) -> None:
        begun = time.monotonic()
        try:
            faults = (*reading.faults, *(self._trust.faults(reading) if self._trust else ()))
            if faults:
                raise PolicyFaults(faults)
            provenance = provenance_of(reading)
            policies = self._compiler.compile(reading.files)
        except PolicyFaults as refusal:
            tests_failed = isinstance(refusal, FailedTests)
            self._refuse(reading, refusal.faults, asked=asked, tests_failed=tests_failed)
        except Exception as error:  # noqa: BLE001 - whatever the compiler does, the last good stays
            self._refuse(reading, (_unexpected(error, "compiled"),), asked=asked)
        else:
            self._serve(reading, policies, provenance, time.monotonic() - begun)

    def _refuse(self, reading: Reading, faults: tuple[Fault, ...], *, asked: bool, tests_failed: bool = False) -> None:
        told = faults == self.faults and not asked
        self._refused, self.faults = reading.content, faults
        if not told:
            self._on_event(Refused(faults=faults, generation=self._generation(), tests_failed=tests_failed))

    def _serve(
        self, reading: Reading, policies: PolicySet, provenance: Mapping[str, Provenance], seconds: float
    ) -> None:
        generation, now, commit = self._generation() + 1, self._clock(), label(provenance.values())
        self._served, self._refused, self.faults = reading.content, None, ()
        self._confirmed = time.monotonic()
        self.current = Snapshot(
            policies=policies, generation=generation, loaded_at=now, commit=commit, provenance=provenance
        )
        self._on_event(
            Loaded(
                generation=generation,
                digest=policies.digest,
                commit=commit,
                files=len(reading.files),
                at=now,
                seconds=seconds,
            )
        )

    def _generation(self) -> int:
        return self.current.generation if self.current else 0

    def _warn(self, reading: Reading) -> None:
        try:
            paths = pinned(self._sources, reading.files, MOUNTINFO.read_text(encoding="utf-8", errors="replace"))
        except OSError:  # no procfs: nothing to know
            return
        if paths:
            self._on_event(Pinned(paths=paths))


def provenance_of(reading: Reading) -> Mapping[str, Provenance]:
    """Return where folders come from, as far as that is known; raise `PolicyFaults` where one says nonsense."""
    found: dict[str, Provenance] = {}
    faults: list[Fault] = []
    for origin in reading.origins:
        try:
            mark = origin.marks.get(FILE)
            known = described(origin.folder) if mark is None else parsed(mark)
        except ValueError as error:
            hint = "authz provenance writes one"
            faults.append(Fault(file=f"{origin.source}/{FILE}", message=str(error), hint=hint))
        else:
            found |= {} if known is None else {origin.source: known}
    if faults:
        raise PolicyFaults(faults)
    return found


def _unexpected(error: Exception, what: str) -> Fault:
    return Fault(file="", message=f"policies could not be {what}: {type(error).__name__}: {error}")
