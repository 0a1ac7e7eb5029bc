"""One process that answers checks: its parts, started in order, drained, stopped in the other order.

The admin port comes first, so that probes are answered while policies compile. Policies are loaded before the first
address is opened: among several workers, one that has none yet would deny what the others allow. Policies that can't
be served don't keep it from opening; then everything is denied and health says so.
"""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol

from authz import __version__
from authz.build import build
from authz.errors import Unavailable
from authz.server import ending, viewing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from authz.console import AdminServer
    from authz.engine import Engine
    from authz.identity.signing import SigningKeys
    from authz.server.governing import Governing
    from authz.server.outputs import Outputs
    from authz.transport import Server

_log = logging.getLogger(__name__)


class Working(Protocol):
    """Something that works on a thread of its own."""

    def start(self) -> None:
        """Begin."""

    def close(self) -> None:
        """End."""


class Counting(Working, Protocol):
    """A limiter's life."""

    def status(self) -> dict[str, object]:
        """Say how it is."""


class Watching(Protocol):
    """Something that looks at the world beside the deciding of requests."""

    def start(self) -> None:
        """Begin to look."""

    def stop(self) -> None:
        """Look no more."""


class Process:
    """The parts of one process, as the composition root made them; `admin` is made last, for it shows this one."""

    def __init__(
        self,
        *,
        engine: Engine,
        limiter: Counting,
        server: Server,
        outputs: Outputs,
        governing: Governing,
        signing: SigningKeys | None,
        explainer: Callable[[Sequence[tuple[str, str]]], object] | None,
        worker: int,
    ) -> None:
        self._engine = engine
        self._limiter = limiter
        self._server = server
        self._outputs = outputs
        self._store, self._keys, self._geoip = governing.store, governing.keys, governing.geoip
        self._aging = governing.aging
        self._signing = signing
        self._explainer = explainer
        self._worker = worker
        self._running = ExitStack()
        self._grace = 0.0
        self._open = False
        self._watching: tuple[Watching, ...] = tuple(
            filter(None, (governing.endings, governing.geoip, signing, governing.candidate, governing.aging))
        )
        self.candidate = governing.candidate
        self.tail, self.denied = outputs.tail, outputs.denied
        self.admin: AdminServer | None = None

    def start(self) -> None:
        """Start everything; raises `Unavailable` where an address can't be had, with nothing left running."""
        with ExitStack() as running:
            outputs: tuple[Working | None, ...] = (self._outputs.recorder, self._outputs.exporter)
            for output in filter(None, outputs):
                output.start()
                running.callback(output.close)
            if self.admin is not None:
                self.admin.start()
                running.callback(self.admin.stop)
                running.callback(self.tail.end)
            self._limiter.start()
            running.callback(self._limiter.close)
            running.callback(self._keys.stop)
            self._store.load()
            for part in self._watching:
                part.start()
                running.callback(part.stop)
            self._server.start()
            running.callback(self._close)
            self._open = True
            self._store.start()
            running.callback(self._store.stop)
            self._running = running.pop_all()
        _log.info("serving", extra={"fields": {"version": __version__, "build": build(), **self._places()}})

    def reload(self) -> None:
        """Look at the policies now, and at the keys that we sign with."""
        if self._signing is not None:
            self._signing.reload()
        self._store.reload()
        if self.candidate is not None:
            self.candidate.reload()

    def drain(self) -> None:
        """Tell probes that this process is going, and go on answering."""
        self._engine.serving = False
        self._server.drain()

    def stop(self, grace: float) -> None:
        """Finish what is under way, for at most `grace` seconds, write what is to be written, and end."""
        self._grace = grace
        self._running.close()
        if self._outputs.recorder is not None and (dropped := self._outputs.recorder.dropped):
            _log.warning("records were dropped since the start", extra={"fields": {"count": dropped}})
        _log.info("stopped")

    def live(self) -> bool:
        """Say that the process lives; that it can say so is the proof."""
        return True

    def ready(self) -> bool:
        """Say whether checks are taken, can be decided for a while, and callers can prove who they are."""
        fresh = self._aging is None or self._aging.ready
        return self._open and fresh and bool(self._engine.health("")) and self._keys.ready

    def metrics(self) -> bytes:
        """Return every number, in Prometheus' text format."""
        return self._outputs.metrics.page()

    def status(self) -> Mapping[str, object]:
        """Say what is in force, what is refused, and how the parts are."""
        current, recorder = self._store.current, self._outputs.recorder
        return {
            "version": __version__,
            "build": build(),
            "worker": self._worker,
            "ready": self.ready(),
            "generation": current.generation if current else 0,
            "policy_digest": current.policies.digest if current else "",
            "policy_commit": current.commit if current else "",
            "policy_provenance": current.provenance if current else {},
            "policy_age_seconds": round(time.time() - current.loaded_at, 3) if current else None,
            "policy_confirmed_seconds": None if self._store.age is None else round(self._store.age, 3),
            "policy_expired": self._aging is not None and self._aging.expired,
            "exceptions": ending.summary(current.policies.ending if current else (), time.time()),
            "policy_faults": [str(fault) for fault in self._store.faults],
            "candidate": None if self.candidate is None else self.candidate.status(),
            "limiter": self._limiter.status(),
            "records": None if recorder is None else recorder.status(),
            "jwks": self._keys.status(),
            "geoip": self._geoip.status(),
            "signing": None if self._signing is None else self._signing.status(),
            "in_flight": self._server.in_flight,
            **self._places(),
        }

    def jwks(self) -> Mapping[str, object]:
        """Return the key set by which others verify who we say is calling; empty where nothing is signed."""
        return {"keys": []} if self._signing is None else self._signing.published()

    def numbers(self) -> Mapping[str, object]:
        """Return what was counted since the start."""
        return viewing.numbers(self._outputs.metrics.counts())

    def policies(self) -> Sequence[Mapping[str, object]]:
        """Return the documents in force, and what each said how often."""
        current = self._store.current
        return viewing.documents(current.policies, self._outputs.metrics.counts()) if current else []

    def disagreements(self) -> Mapping[str, object]:
        """Return how a candidate disagrees with the policies in force, if there is one."""
        return {} if self.candidate is None else self.candidate.disagreements()

    def exceptions(self) -> Sequence[Mapping[str, object]]:
        """Return the entries of data that end, and whether each still counts."""
        current, now = self._store.current, time.time()
        entries = current.policies.ending if current else ()
        return [{**ending.shown(entry), "active": entry.until > now} for entry in entries[: ending.MOST_SHOWN]]

    def explain(self, query: Sequence[tuple[str, str]], /) -> object:
        """Explain a request that is typed, or a decision by its id."""
        if self._explainer is None:
            raise Unavailable("nothing is explained here")
        return self._explainer(query)

    def _close(self) -> None:
        cancelled = self._server.stop(self._grace)
        if cancelled:
            _log.warning("checks were cut off", extra={"fields": {"count": cancelled, "grace": self._grace}})

    def _places(self) -> dict[str, object]:
        return {
            "listen": [str(address) for address in self._server.addresses],
            "admin_port": self.admin.port if self.admin else None,
            "transport": self._server.transport,
            "transport_fallback": self._server.fallback_reason,
        }
