"""What a configuration of Envoy has to say so that it fits settings and policies: addresses, time limits, bodies. Pure.

Time limits stand in order, or the wrong one answers: asking who is calling and Redis, then Envoy's patience with
authz, then the route's. A body is shown to policies where they read it and nowhere else, because holding one back stops
uploads, streams and websockets; and no longer than fits into a message that we read.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from authz.errors import Fault, SettingsFaults

if TYPE_CHECKING:
    from authz.config import Settings
    from authz.policy import Needs
    from authz.policy.routing.entries import PathTemplate

SERVICE = "envoy.service.auth.v3.Authorization"
FILTER = "envoy.filters.http.ext_authz"

BODY = 65536
"""Bytes of a body that are shown where policies do not say how long it may be."""

HEADROOM = 128 * 1024
"""Bytes of a message that are left for everything but the body: Envoy takes 60 KiB of headers."""

_MARGIN = 0.23
"""Seconds that Envoy waits longer than the slowest answer takes."""

_ROUTE_TIMEOUT = 15.0
_PLAIN = re.compile(r"[A-Za-z0-9._~-]+")
_WILDCARDS = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104 - to replace them


class Kind(StrEnum):
    """Where authz is: beside one Envoy, or a service that many ask."""

    SIDECAR = "sidecar"
    SERVICE = "service"


class Place(msgspec.Struct, frozen=True):
    """An address that Envoy connects to: a host and a port, or the path of a Unix socket."""

    host: str
    port: int = 0

    @property
    def is_path(self) -> bool:
        """Whether it is a Unix socket."""
        return self.host.startswith("/")

    @property
    def is_name(self) -> bool:
        """Whether it has to be resolved."""
        return not self.is_path and re.fullmatch(r"[0-9.]+|.*:.*", self.host) is None


class TlsFiles(msgspec.Struct, frozen=True, kw_only=True):
    """The files, as Envoy sees them, with which it knows authz and is known by it."""

    ca: str
    certificate: str | None = None
    key: str | None = None


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants of a configuration that neither settings nor policies say."""

    kind: Kind
    listen_port: int = 10000
    admin_port: int = 9901
    upstream: Place
    upstream_http2: bool = False
    authz: Place = Place("authz.authz.svc.cluster.local")
    tls: TlsFiles | None = None


class Bodies(msgspec.Struct, frozen=True, kw_only=True):
    """How bodies are shown: up to `longest` bytes, on paths that match one of `paths`; `None` is on every path."""

    longest: int
    paths: tuple[str, ...] | None = None


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """What the configuration says. No `bodies`: none are shown; `namespaces` are of Envoy's metadata."""

    places: tuple[Place, ...]
    tls: TlsFiles | None
    timeout: float
    route_timeout: float
    trusted_hops: int
    bodies: Bodies | None
    certificate: bool
    tls_session: bool
    namespaces: tuple[str, ...] = ()
    route_namespaces: tuple[str, ...] = ()


def fit(wanted: Wanted, settings: Settings, needs: Needs | None) -> Fit:
    """Return what fits; without policies, whatever one of them might read is sent. Raises `SettingsFaults`."""
    patience = slowest(settings, needs)
    places = _places(wanted, settings)
    return Fit(
        places=places,
        tls=_tls(wanted, settings, places),
        timeout=round(patience + _MARGIN, 3),
        route_timeout=max(_ROUTE_TIMEOUT, round(4 * (patience + _MARGIN), 3)),
        trusted_hops=settings.client.trusted_hops,
        bodies=Bodies(longest=_longest(settings, BODY)) if needs is None else _bodies(settings, needs),
        certificate=needs is None or needs.certificate,
        tls_session=needs is not None and needs.tls_session,
        namespaces=tuple(sorted(needs.metadata or ())) if needs else (),
        route_namespaces=tuple(sorted(needs.route_metadata or ())) if needs else (),
    )


def slowest(settings: Settings, needs: Needs | None) -> float:
    """Return the seconds that an answer may wait for others: for who is calling, then for Redis."""
    return settings.redis.timeout + (needs.inquiry if needs else 0.0)


def longest_body(settings: Settings) -> int:
    """Return the bytes of the longest body that a message can hold which is still read."""
    return max(settings.check.max_message - HEADROOM, settings.check.max_message // 2)


def pattern(template: PathTemplate) -> str:
    """Return a pattern (RE2, for the whole path) of what a template matches, or somewhat more.

    A segment that can be written with escapes is any segment: showing a body too many is better than one too few.
    """
    parts = [part if part is not None and _PLAIN.fullmatch(part) else None for part in template.segments]
    path = "".join("/[^/]*" if part is None else "/" + re.escape(part) for part in parts)
    return path + ("(?:/.*)?" if template.open else "/?")


def _places(wanted: Wanted, settings: Settings) -> tuple[Place, ...]:
    """Return where Envoy asks: beside us by socket where there is one, from afar by our port."""
    sockets = [one.removeprefix("unix://") for one in settings.listen if one.startswith("unix:")]
    hosts = [one.rpartition(":") for one in settings.listen if not one.startswith("unix:")]
    if wanted.kind is Kind.SERVICE:
        return (Place(wanted.authz.host, wanted.authz.port or (int(hosts[0][2]) if hosts else 9191)),)
    if sockets:
        return tuple(
            Place(settings.of_worker(path, worker)) for path in sockets[:1] for worker in range(settings.workers)
        )
    host, _, port = hosts[0]
    return (Place(_WILDCARDS.get(host, host).strip("[]"), int(port)),)


def _tls(wanted: Wanted, settings: Settings, places: tuple[Place, ...]) -> TlsFiles | None:
    if settings.tls.certificate is None or places[0].is_path:
        return None
    if wanted.tls is None:
        hint = "--authz-ca says which authority Envoy knows it by"
        raise SettingsFaults([Fault(file="tls.certificate", message="authz speaks TLS", hint=hint)])
    if settings.tls.client_ca is not None and wanted.tls.certificate is None:
        hint = "--authz-certificate and --authz-key say which one Envoy has"
        raise SettingsFaults([Fault(file="tls.client_ca", message="authz asks for a certificate", hint=hint)])
    return wanted.tls


def _bodies(settings: Settings, needs: Needs) -> Bodies | None:
    if not needs.bodies:
        return None
    paths = sorted({pattern(route.template) for route in needs.bodies})
    everywhere = any(route.template.open and not route.template.segments for route in needs.bodies)
    longest = _longest(settings, max(BODY, needs.longest_body))
    return Bodies(longest=longest, paths=None if everywhere else tuple(paths))


def _longest(settings: Settings, wanted: int) -> int:
    return min(wanted, longest_body(settings))
