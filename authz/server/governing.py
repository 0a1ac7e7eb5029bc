"""Where policies come from and what goes with them: folders, keys, places, a candidate; made from settings."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from authz.errors import Unavailable
from authz.files import whole
from authz.identity.api_keys import KeyUses
from authz.identity.registry import KeyRegistry
from authz.server import numbers
from authz.server.aging import Aging, OnAge
from authz.server.candidate import Candidate
from authz.server.candidate import tell as tell_candidate
from authz.server.deciding import compiler
from authz.server.ending import Endings, Prepared
from authz.server.entrusted import entrusted
from authz.server.events import PolicyEvents
from authz.server.geoip import GeoIp, warning
from authz.server.identifying import IdentityBuilder
from authz.server.logs import FaultLog
from authz.server.pacing import LONG_REST, Pace
from authz.server.proving import Proven
from authz.server.retiring import Retiring
from authz.store import PolicyStore
from authz.store.store import Watching

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from authz.config import Settings
    from authz.config.settings import ReloadSettings
    from authz.engine import Snapshot
    from authz.server.outputs import Outputs
    from authz.store import Compiler, StoreEvent
    from authz.store.signatures import Trust
    from authz.telemetry import Metrics

_log = logging.getLogger("authz")


class Governing(msgspec.Struct, frozen=True, kw_only=True):
    """The policies of one process; `aging` is there where they may grow too old, `candidate` where one is compared."""

    store: PolicyStore
    events: PolicyEvents
    keys: KeyRegistry
    uses: KeyUses
    geoip: GeoIp
    endings: Endings
    aging: Aging | None
    candidate: Candidate | None

    def snapshot(self) -> Snapshot | None:
        """Return the policies that decide now."""
        return self.store.current if self.aging is None else self.aging.snapshot()

    def show(self, metrics: Metrics) -> None:
        """Let the numbers say what is in force."""
        numbers.show_policies(metrics, self.store, self.events, self.aging)
        numbers.show_identity(metrics, self.keys, self.uses)
        numbers.show_candidate(metrics, self.candidate)


def governing(settings: Settings, outputs: Outputs) -> Governing:
    """Return what governs one process, telling of changes in its outputs. Raises `Unavailable`."""
    events = PolicyEvents(outputs.event)
    keys, uses = KeyRegistry(required=settings.identity.require_keys), KeyUses()
    follow = partial(keys.follow, patience=settings.identity.wait)
    builder = IdentityBuilder(keys, uses, follow=follow, secrets=entrusted(settings))
    geoip = GeoIp(settings.geoip, interval=settings.reload.interval, fault=FaultLog(_log, "a GeoIP file is damaged"))
    endings = Endings(lambda: store.current)
    told = (events, endings, warning(geoip, lambda: store.current), Retiring(lambda: store.current))
    store = _store(settings, told, builder)
    return Governing(
        store=store,
        events=events,
        keys=keys,
        uses=uses,
        geoip=geoip,
        endings=endings,
        aging=_aging(settings.reload, store, outputs),
        candidate=_candidate(settings, store, geoip, outputs),
    )


def _telling(*told: Callable[[StoreEvent], None]) -> Callable[[StoreEvent], None]:
    def tell(event: StoreEvent) -> None:
        for each in told:
            each(event)

    return tell


def _store(settings: Settings, told: Sequence[Callable[[StoreEvent], None]], builder: IdentityBuilder) -> PolicyStore:
    reload = settings.reload
    made: Compiler = Prepared(compiler(settings.engine, builder))
    if reload.require_tests:
        made = Proven(made, compiler(settings.engine), timeout=reload.tests_timeout)
    watching = _watching(reload, tests=reload.require_tests)
    return PolicyStore(settings.policies, made, on_event=_telling(*told), watching=watching, trust=_trust(reload))


def _aging(reload: ReloadSettings, store: PolicyStore, outputs: Outputs) -> Aging | None:
    """Return what watches the age of policies, where they may not have any."""
    if reload.max_age is None:
        return None
    return Aging(store, most=reload.max_age, action=OnAge(reload.on_max_age), record=outputs.event)


def _trust(reload: ReloadSettings) -> Trust | None:
    """Return whose signatures count, where policies must be signed."""
    if not reload.verify_keys:
        return None
    from authz.store.signatures import Trust, public_key  # noqa: PLC0415 - memory that a sidecar need not have

    keys = []
    for file in reload.verify_keys:
        try:
            keys.append(public_key(whole(file)))
        except OSError as error:
            raise Unavailable(f"can't read {file}: {error.strerror}") from error
        except ValueError as error:
            raise Unavailable(f"can't use {file}: {error}") from error
    return Trust(keys, tests=reload.require_tests)


def _watching(reload: ReloadSettings, *, tests: bool = False) -> Watching:
    return Watching(
        interval=reload.interval, settle=reload.settle, max_bytes=reload.max_bytes, tests=tests, pause=Pace(LONG_REST)
    )  # fmt: skip


def _candidate(settings: Settings, live: PolicyStore, geoip: GeoIp, outputs: Outputs) -> Candidate | None:
    """Return what compares, where there is something to compare with; its providers fetch nothing."""
    sources = settings.candidate.policies
    if not sources:
        return None
    made = Prepared(compiler(settings.engine))
    told = _telling(tell_candidate, Retiring(lambda: store.current))
    store = PolicyStore(sources, made, on_event=told, watching=_watching(settings.reload))
    return Candidate(
        store=store,
        live=lambda: live.current,
        share=settings.candidate.share,
        locate=geoip.locate,
        record=outputs.event,
        fault=FaultLog(_log, "a candidate raised; no answer was touched"),
    )
