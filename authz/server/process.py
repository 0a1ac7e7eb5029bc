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
from authz.console import Denied, Tail
from authz.errors import Unavailable
from authz.server import ending, viewing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from authz.audit import Recorder
    from authz.console import AdminServer
    from authz.engine import Engine
    from authz.identity.registry import KeyRegistry
    from authz.identity.signing import SigningKeys
    from authz.server.aging import Aging
    from authz.server.candidate import Candidate
    from authz.server.geoip import GeoIp
    from authz.store import PolicyStore
    from authz.telemetry import Metrics
    from authz.telemetry.otlp import Exporter
    from authz.transport import Server

_log = logging.getLogger(__name__)


class Counting(Protocol):
    """A limiter's life."""

    def start(self) -> None:
        """Begin."""

    def close(self) -> None:
        """End."""

    def status(self) -> dict[str, object]:
        """Say how it is."""


class Watching(Protocol):
    """Something that looks at the world beside the deciding of requests."""

    def start(self) -> None:
        """Begin to look."""

    def stop(self) -> None:
        """Look no more."""


class Process:
    """The parts of one process.

    The composition root makes them; `admin`, `candidate`, `exporter`, `geoip` and `signing` may be `None`.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        store: PolicyStore,
        limiter: Counting,
        keys: KeyRegistry,
        server: Server,
        recorder: Recorder | None,
        metrics: Metrics,
        worker: int,
    ) -> None:
        self._engine = engine
        self._store = store
        self._limiter = limiter
        self._keys = keys
        self._server = server
        self._recorder = recorder
        self._metrics = metrics
        self._worker = worker
        self._running = ExitStack()
        self._grace = 0.0
        self.admin: AdminServer | None = None
        self.exporter: Exporter | None = None
        self.watching: Sequence[Watching] = ()
        self.aging: Aging | None = None
        self.candidate: Candidate | None = None
        self.geoip: GeoIp | None = None
        self.signing: SigningKeys | None = None
        self.explainer: Callable[[Sequence[tuple[str, str]]], object] | None = None
        self.tail = Tail()
        self.denied = Denied()

    def start(self) -> None:
        """Start everything; raises `Unavailable` where an address can't be had, with nothing left running."""
        with ExitStack() as running:
            if self._recorder is not None:
                self._recorder.start()
                running.callback(self._recorder.close)
            if self.exporter is not None:
                self.exporter.start()
                running.callback(self.exporter.close)
            if self.admin is not None:
                self.admin.start()
                running.callback(self.admin.stop)
                running.callback(self.tail.end)
            self._limiter.start()
            running.callback(self._limiter.close)
            running.callback(self._keys.stop)
            self._store.load()
            for part in self.watching:
                part.start()
                running.callback(part.stop)
            self._server.start()
            running.callback(self._close)
            self._store.start()
            running.callback(self._store.stop)
            self._running = running.pop_all()
        _log.info("serving", extra={"fields": self._places()})

    def reload(self) -> None:
        """Look at the policies now, and at the keys that we sign with."""
        if self.signing is not None:
            self.signing.reload()
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
        _log.info("stopped")

    def live(self) -> bool:
        """Say that the process lives; that it can say so is the proof."""
        return True

    def ready(self) -> bool:
        """Say whether checks can be decided, and will be for a while, and whether callers can prove who they are."""
        fresh = self.aging is None or self.aging.ready
        return fresh and bool(self._engine.health("")) and self._keys.ready

    def metrics(self) -> bytes:
        """Return every number, in Prometheus' text format."""
        return self._metrics.page()

    def status(self) -> Mapping[str, object]:
        """Say what is in force, what is refused, and how the parts are."""
        current = self._store.current
        return {
            "version": __version__,
            "worker": self._worker,
            "ready": self.ready(),
            "generation": current.generation if current else 0,
            "policy_digest": current.policies.digest if current else "",
            "policy_commit": current.commit if current else "",
            "policy_provenance": current.provenance if current else {},
            "policy_age_seconds": round(time.time() - current.loaded_at, 3) if current else None,
            "policy_confirmed_seconds": None if self._store.age is None else round(self._store.age, 3),
            "policy_expired": self.aging is not None and self.aging.expired,
            "exceptions": ending.summary(current.policies.ending if current else (), time.time()),
            "policy_faults": [str(fault) for fault in self._store.faults],
            "candidate": None if self.candidate is None else self.candidate.status(),
            "limiter": self._limiter.status(),
            "records": None if self._recorder is None else self._recorder.status(),
            "jwks": self._keys.status(),
            "geoip": self.geoip.status() if self.geoip is not None else {},
            "signing": None if self.signing is None else self.signing.status(),
            "in_flight": self._server.in_flight,
            **self._places(),
        }

    def jwks(self) -> Mapping[str, object]:
        """Return the key set by which others verify who we say is calling; empty where nothing is signed."""
        return {"keys": []} if self.signing is None else self.signing.published()

    def numbers(self) -> Mapping[str, object]:
        """Return what was counted since the start."""
        return viewing.numbers(self._metrics.counts())

    def policies(self) -> Sequence[Mapping[str, object]]:
        """Return the documents in force, and what each said how often."""
        current = self._store.current
        return viewing.documents(current.policies, self._metrics.counts()) if current else []

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
        if self.explainer is None:
            raise Unavailable("nothing is explained here")
        return self.explainer(query)

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
