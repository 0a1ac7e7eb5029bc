"""Every object of one process, made from settings and joined; nothing is started here.

The one place that knows which class stands behind which seam. To exchange one, change a line here.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from authz import __version__, wire
from authz.audit import Chain, ReadsForm, ReadsWriter, Recorder, Sampling, open_sink, resumed
from authz.console import AdminServer, Denied, Tail, application
from authz.engine import Engine
from authz.errors import Unavailable
from authz.identity.api_keys import KeyUses
from authz.identity.registry import KeyRegistry
from authz.limits.memory import MemoryLimiter
from authz.server import numbers
from authz.server.aging import Aging, OnAge
from authz.server.candidate import Candidate
from authz.server.candidate import tell as tell_candidate
from authz.server.client import client_ip
from authz.server.counting import rate_limits
from authz.server.deciding import compiler, parts
from authz.server.ending import Endings, Prepared
from authz.server.events import PolicyEvents
from authz.server.geoip import GeoIp, warning
from authz.server.identifying import IdentityBuilder
from authz.server.logs import FaultLog
from authz.server.process import Process
from authz.server.proving import Proven
from authz.server.secret import key_in
from authz.server.signing import Telling, signing
from authz.store import PolicyStore
from authz.store.store import Watching
from authz.telemetry import Metrics, sampled_parent
from authz.transport import Tls, TransportName, open_server

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from authz.config import Settings
    from authz.config.settings import RedisSettings, ReloadSettings
    from authz.engine import Parts
    from authz.identity.signing import SigningKeys
    from authz.limits.redis import RedisLimiter
    from authz.server.explaining import Explainer
    from authz.store import Compiler, StoreEvent
    from authz.store.signatures import Trust
    from authz.telemetry.otlp import Exporter
    from authz.transport import Method, Server

_log = logging.getLogger("authz")


def limiter(settings: Settings) -> MemoryLimiter | RedisLimiter:
    """Return what counts: Redis where there is one, else this process for itself."""
    redis = settings.redis
    if redis.url is None:
        return MemoryLimiter()
    from authz.limits.redis import RedisLimiter, RedisOptions  # noqa: PLC0415 - a fifth of the memory of a process

    options = RedisOptions(budget=redis.timeout, processes=settings.workers * redis.replicas)
    secret = secret_of(redis)
    return RedisLimiter(redis.url.get_secret_value(), options, secret=secret, password_file=redis.password_file)


def secret_of(redis: RedisSettings) -> bytes:
    """Read the secret that keys callers' hashes, of any length and without the line end an editor left."""
    return b"" if redis.secret_file is None else key_in(redis.secret_file)


def build(settings: Settings, worker: int = 0) -> Process:
    """Return a process that is ready to start. Raises `SettingsFaults` and `Unavailable`."""
    reads = _reads(settings)
    recorder = _recorder(settings, worker, reads)
    metrics, faults = Metrics(), FaultLog(_log)
    exporter = _exporter(settings, metrics, worker)
    tail, denied = Tail(worker, client_ip(settings.client), reads), Denied(client_ip(settings.client))
    console = (tail, denied) if settings.admin else ()
    events = PolicyEvents(recorder.event if recorder else lambda _: None)
    keys, uses = KeyRegistry(required=settings.identity.require_keys), KeyUses()
    builder = IdentityBuilder(keys, uses, follow=partial(keys.follow, patience=settings.identity.wait))
    unread: Counter[tuple[()]] = Counter()
    geoip = GeoIp(settings.geoip, interval=settings.reload.interval, fault=FaultLog(_log, "a GeoIP file is damaged"))
    endings = Endings(lambda: store.current)
    told = (events, endings, warning(geoip, lambda: store.current))
    store, counting = _store(settings, told, builder), limiter(settings)
    aging = _aging(settings.reload, store, recorder)
    signs = signing(settings.signing)
    candidate = _candidate(settings, store, geoip, recorder)
    made = parts(
        snapshot=aging.snapshot if aging else lambda: store.current,
        limiter=counting,
        client_ip=client_ip(settings.client, unreadable=partial(unread.update, [()])),
        fault=faults,
        observers=tuple(filter(None, (metrics, recorder, exporter.spans if exporter else None, *console, candidate))),
        limit_headers=_limit_headers(settings),
    )
    engine = _engine(settings, geoip, signs, made)
    server = _server(settings, engine, worker, rate_limits(settings, counting))
    numbers.show_callers(metrics, geoip, unread)
    numbers.show_policies(metrics, store, events, aging)
    numbers.show_server(metrics, server, faults)
    numbers.show_limiter(metrics, counting)
    numbers.show_identity(metrics, keys, uses)
    numbers.show_candidate(metrics, candidate)
    _show_outputs(metrics, recorder, exporter)
    process = Process(
        engine=engine, store=store, limiter=counting, keys=keys, server=server, recorder=recorder, metrics=metrics,
        worker=worker,
    )  # fmt: skip
    process.exporter, process.tail, process.denied = exporter, tail, denied
    process.aging, process.candidate = aging, candidate
    process.watching, process.geoip, process.signing = (
        tuple(filter(None, (endings, geoip, signs, candidate, aging))),
        geoip,
        signs,
    )
    process.explainer = _explainer(settings, store, worker) if settings.admin else None
    process.admin = _admin(settings, process, worker)
    return process


def _explainer(settings: Settings, store: PolicyStore, worker: int) -> Callable[[Sequence[tuple[str, str]]], object]:
    """Return what explains: of credentials it tells a fingerprint of this process alone. Loaded when it is asked."""
    sink = settings.record.sink
    log = None if sink in {"off", "stdout"} else Path(settings.of_worker(sink, worker))

    @cache
    def made() -> Explainer:
        from authz.server.explaining import Explainer  # noqa: PLC0415 - memory that a sidecar need not have

        secrets = ReadsWriter(ReadsForm.VALUES, os.urandom(32))
        return Explainer(lambda: store.current, secrets, client_ip(settings.client), log)

    return lambda query: made().explain(query)


def _show_outputs(metrics: Metrics, recorder: Recorder | None, exporter: Exporter | None) -> None:
    if recorder:
        numbers.show_recorder(metrics, recorder)
    if exporter:
        numbers.show_exporter(metrics, exporter)


def _engine(settings: Settings, geoip: GeoIp, signs: SigningKeys | None, made: Parts) -> Engine:
    """Return what decides; where spans are sent, each outcome is to know the one it belongs to."""
    traced = settings.otlp.endpoint is not None
    made = msgspec.structs.replace(made, locate=geoip.locate, parent=sampled_parent if traced else None)
    if signs is not None:
        telling = Telling(settings.signing, signs, partial(wire.write, limit_headers=_limit_headers(settings)))
        made = msgspec.structs.replace(made, write=telling.write)
    return Engine(made)


def _limit_headers(settings: Settings) -> tuple[wire.LimitHeaders, ...]:
    return tuple(wire.LimitHeaders(name) for name in settings.limits.headers if name != "off")


def _reads(settings: Settings) -> ReadsWriter:
    record = settings.record
    return ReadsWriter(ReadsForm(record.reads), key_in(record.key_file) if record.key_file else os.urandom(32))


def _recorder(settings: Settings, worker: int, reads: ReadsWriter) -> Recorder | None:
    record = settings.record
    if record.sink == "off":
        return None
    sampling = Sampling(allow=record.allow, deny=record.deny, redirect=record.redirect)
    name = record.sink if record.sink == "stdout" else settings.of_worker(record.sink, worker)
    try:
        return Recorder(
            open_sink(name), sampling=sampling, worker=worker, client_ip=client_ip(settings.client),
            reads=reads, fault=FaultLog(_log, "records were not written"), chain=_chain(settings, name),
        )  # fmt: skip
    except OSError as error:
        raise Unavailable(f"can't write records to {name}: {error.strerror}") from error


def _chain(settings: Settings, file: str) -> Chain | None:
    record = settings.record
    if not record.chain:
        return None
    return resumed(Path(file), key_in(record.key_file) if record.key_file else b"")


def _exporter(settings: Settings, metrics: Metrics, worker: int) -> Exporter | None:
    otlp = settings.otlp
    if otlp.endpoint is None:
        return None
    try:
        from authz.telemetry.otlp import Exporter  # noqa: PLC0415 - an extra, and a fifth of the memory of a process
    except ImportError as error:
        raise Unavailable("otlp.endpoint needs the extra: pip install 'envoy-cel-authz[otlp]'") from error
    return Exporter(otlp.endpoint, metrics, interval=otlp.interval, version=__version__, worker=worker)


def _store(settings: Settings, told: Sequence[Callable[[StoreEvent], None]], builder: IdentityBuilder) -> PolicyStore:
    def tell(event: StoreEvent) -> None:
        for each in told:
            each(event)

    reload = settings.reload
    made: Compiler = Prepared(compiler(settings.engine, builder))
    if reload.require_tests:
        made = Proven(made, compiler(settings.engine), timeout=reload.tests_timeout)
    watching = _watching(reload, tests=reload.require_tests)
    return PolicyStore(settings.policies, made, on_event=tell, watching=watching, trust=_trust(reload))


def _aging(reload: ReloadSettings, store: PolicyStore, recorder: Recorder | None) -> Aging | None:
    """Return what watches the age of policies, where they may not have any."""
    if reload.max_age is None:
        return None
    record = recorder.event if recorder else lambda _: None
    return Aging(store, most=reload.max_age, action=OnAge(reload.on_max_age), record=record)


def _trust(reload: ReloadSettings) -> Trust | None:
    """Return whose signatures count, where policies must be signed."""
    if not reload.verify_keys:
        return None
    from authz.store.signatures import Trust, public_key  # noqa: PLC0415 - memory that a sidecar need not have

    keys = []
    for file in reload.verify_keys:
        try:
            keys.append(public_key(file.read_bytes()))
        except OSError as error:
            raise Unavailable(f"can't read {file}: {error.strerror}") from error
        except ValueError as error:
            raise Unavailable(f"can't use {file}: {error}") from error
    return Trust(keys, tests=reload.require_tests)


def _watching(reload: ReloadSettings, *, tests: bool = False) -> Watching:
    return Watching(interval=reload.interval, settle=reload.settle, max_bytes=reload.max_bytes, tests=tests)


def _candidate(settings: Settings, live: PolicyStore, geoip: GeoIp, recorder: Recorder | None) -> Candidate | None:
    """Return what compares, where there is something to compare with; its providers fetch nothing."""
    sources = settings.candidate.policies
    if not sources:
        return None
    made = Prepared(compiler(settings.engine))
    return Candidate(
        store=PolicyStore(sources, made, on_event=tell_candidate, watching=_watching(settings.reload)),
        live=lambda: live.current,
        share=settings.candidate.share,
        client_ip=client_ip(settings.client),
        locate=geoip.locate,
        record=recorder.event if recorder else lambda _: None,
        fault=FaultLog(_log, "a candidate raised; no answer was touched"),
    )


def _server(settings: Settings, engine: Engine, worker: int, further: tuple[Method, ...]) -> Server:
    tls = settings.tls
    files = None
    if tls.certificate is not None and tls.key is not None:
        files = Tls(certificate=tls.certificate, key=tls.key, client_ca=tls.client_ca)
    return open_server(
        engine,
        listen=[settings.of_worker(place, worker) if place.startswith("unix:") else place for place in settings.listen],
        last_resort=wire.LAST_RESORT,
        transport=TransportName(settings.transport),
        tls=files,
        reuse_port=settings.workers > 1,
        max_in_flight=settings.check.max_in_flight,
        max_message_bytes=settings.check.max_message,
        further=further,
    )


def _admin(settings: Settings, process: Process, worker: int) -> AdminServer | None:
    """Return the admin port; each further worker's is one higher."""
    if settings.admin is None:
        return None
    host, _, port = settings.admin.rpartition(":")
    return AdminServer(host.strip("[]"), int(port) + worker if int(port) else 0, application(process))
