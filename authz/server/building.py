"""Every object of one process, made from settings and joined; nothing is started here.

The one place that knows which class stands behind which seam, together with `outputs` (where what was decided goes) and
`governing` (where policies come from). To exchange one, change a line here or there.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from authz import wire
from authz.audit import ReadsForm, ReadsWriter
from authz.console import AdminServer, Workers, application
from authz.engine import Engine
from authz.limits.memory import MemoryLimiter
from authz.limits.options import RedisOptions
from authz.server import numbers
from authz.server.client import client_ip
from authz.server.counting import rate_limits
from authz.server.deciding import parts
from authz.server.governing import governing
from authz.server.logs import FaultLog
from authz.server.outputs import outputs
from authz.server.process import Process
from authz.server.secret import key_in
from authz.server.signing import Telling, signing
from authz.telemetry import sampled_parent
from authz.transport import Tls, TransportName, open_server

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from authz.config import Settings
    from authz.config.settings import RedisSettings
    from authz.engine import Limiter, Parts
    from authz.identity.signing import SigningKeys
    from authz.limits.redis import RedisLimiter
    from authz.server.explaining import Explainer
    from authz.server.governing import Governing
    from authz.server.outputs import Outputs
    from authz.store import PolicyStore
    from authz.transport import Method, Server

_log = logging.getLogger("authz")


def limiter(settings: Settings) -> MemoryLimiter | RedisLimiter:
    """Return what counts: Redis where there is one, else this process for itself."""
    redis = settings.redis
    if redis.url is None:
        return MemoryLimiter()
    from authz.limits.redis import RedisLimiter  # noqa: PLC0415 - a fifth of the memory of a process

    options = RedisOptions(budget=redis.timeout, processes=settings.workers * redis.replicas)
    secret = secret_of(redis)
    return RedisLimiter(redis.url.get_secret_value(), options, secret=secret, password_file=redis.password_file)


def secret_of(redis: RedisSettings) -> bytes:
    """Read the secret that keys callers' hashes, of any length and without the line end an editor left."""
    return b"" if redis.secret_file is None else key_in(redis.secret_file)


def build(settings: Settings, worker: int = 0) -> Process:
    """Return a process that is ready to start. Raises `SettingsFaults` and `Unavailable`."""
    told = outputs(settings, worker)
    policies = governing(settings, told)
    counting, signs, faults = limiter(settings), signing(settings.signing), FaultLog(_log)
    unreadable: Counter[tuple[()]] = Counter()
    engine = _engine(
        settings,
        told,
        policies,
        signs,
        parts(
            snapshot=policies.snapshot,
            limiter=counting,
            client_ip=client_ip(settings.client, unreadable=partial(unreadable.update, [()])),
            fault=faults,
            observers=(*told.observers, *((policies.candidate,) if policies.candidate else ())),
            limit_headers=_limit_headers(settings),
        ),
    )
    server = _server(settings, engine, worker, rate_limits(settings, counting))
    told.show()
    policies.show(told.metrics)
    numbers.show_callers(told.metrics, policies.geoip, unreadable)
    numbers.show_server(told.metrics, server, faults)
    numbers.show_limiter(told.metrics, counting)
    process = Process(
        engine=engine, limiter=counting, server=server, outputs=told, governing=policies, signing=signs,
        explainer=_explainer(settings, policies.store, counting) if settings.admin else None, worker=worker,
    )  # fmt: skip
    process.admin = _admin(settings, process, worker)
    return process


def _explainer(
    settings: Settings, store: PolicyStore, counting: Limiter
) -> Callable[[Sequence[tuple[str, str]]], object]:
    """Return what explains: of credentials it tells a fingerprint of this process alone. Loaded when it is asked."""
    file = settings.record.file
    logs = [Path(settings.of_worker(file, number)) for number in range(settings.workers)] if file else []

    @cache
    def made() -> Explainer:
        from authz.server.explaining import Explainer  # noqa: PLC0415 - memory that a sidecar need not have

        secrets = ReadsWriter(ReadsForm.VALUES, os.urandom(32))
        return Explainer(lambda: store.current, secrets, client_ip(settings.client), counting, logs)

    return lambda query: made().explain(query)


def _engine(settings: Settings, told: Outputs, policies: Governing, signs: SigningKeys | None, made: Parts) -> Engine:
    """Return what decides; where spans are sent, each outcome is to know the one it belongs to."""
    traced = settings.otlp.endpoint is not None
    parent = sampled_parent if traced else None
    made = msgspec.structs.replace(made, locate=policies.geoip.locate, parent=parent, unrecorded=told.unrecorded)
    made = msgspec.structs.replace(made, body_limit=settings.check.body_limit)
    if signs is not None:
        telling = Telling(settings.signing, signs, partial(wire.write, limit_headers=_limit_headers(settings)))
        made = msgspec.structs.replace(made, write=telling.write)
    return Engine(made)


def _limit_headers(settings: Settings) -> tuple[wire.LimitHeaders, ...]:
    return tuple(wire.LimitHeaders(name) for name in settings.limits.headers if name != "off")


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
    name, _, text = settings.admin.rpartition(":")
    host, port = name.strip("[]"), int(text)
    workers = _workers(settings, worker, host, port) if settings.workers > 1 else None
    pages = application(process, hosts=(*settings.admin_hosts, name.lower()), workers=workers)
    return AdminServer(host, port + worker if port else 0, pages)


def _workers(settings: Settings, worker: int, host: str, port: int) -> Workers:
    """Return the workers as one of them sees them: the first sees all, where their ports are known."""
    others = {number: port + number for number in range(1, settings.workers)} if port and worker == 0 else {}
    return Workers(worker, host, others)
