"""What Envoy listens with, in its own types: how a request is read, in which order it is asked about and passed on.

Envoy makes a path canonical before anybody sees it, so that policies and application see the same one. Routes differ
only in whether bodies are shown; that every route is asked about is never left to a route.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from envoy_data_plane.envoy.config.accesslog.v3 import AccessLog
from envoy_data_plane.envoy.config.core.v3 import (
    Address,
    HttpProtocolOptions,
    HttpProtocolOptionsHeadersWithUnderscoresAction,
    SocketAddress,
    SubstitutionFormatString,
)
from envoy_data_plane.envoy.config.listener.v3 import Filter, FilterChain, Listener
from envoy_data_plane.envoy.config.route.v3 import Route, RouteAction, RouteConfiguration, RouteMatch, VirtualHost
from envoy_data_plane.envoy.extensions.access_loggers.stream.v3 import StdoutAccessLog
from envoy_data_plane.envoy.extensions.filters.http.router.v3 import Router
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import (
    HttpConnectionManager,
    HttpConnectionManagerPathWithEscapedSlashesAction,
    HttpFilter,
)
from envoy_data_plane.envoy.type.matcher.v3 import RegexMatcher
from envoy_data_plane.google.protobuf import Any, Struct

from authz.envoy.clusters import APPLICATION
from authz.envoy.filter import ext_authz, unshown
from authz.envoy.fitting import FILTER

if TYPE_CHECKING:
    from authz.envoy.fitting import Fit

_TOLD = ("decision_id", "policy", "rule", "reason")
_LOGGED = {
    "time": "%START_TIME%",
    "method": "%REQ(:METHOD)%",
    "path": "%PATH(NQ)%",
    "status": "%RESPONSE_CODE%",
    **{name: f"%DYNAMIC_METADATA({FILTER}:{name})%" for name in _TOLD},
}


def listener(fit: Fit, port: int) -> Listener:
    """Return the listener for the world."""
    manager = Filter(
        name="envoy.filters.network.http_connection_manager",
        typed_config=Any.pack(_manager(fit)),
    )
    return Listener(
        name="ingress",
        address=Address(socket_address=SocketAddress(address="0.0.0.0", port_value=port)),  # noqa: S104 - the world
        filter_chains=[FilterChain(filters=[manager])],
    )


def one_reading() -> HttpConnectionManager:
    """Return what makes Envoy, policies and application read one and the same path."""
    return HttpConnectionManager(
        normalize_path=True,
        merge_slashes=True,
        path_with_escaped_slashes_action=HttpConnectionManagerPathWithEscapedSlashesAction.REJECT_REQUEST,
    )


def routes(fit: Fit) -> list[Route]:
    """Return the routes: first those whose bodies policies read, then all others."""
    limited = fit.bodies.paths if fit.bodies else None
    shown = [Route(match=_matching(path), route=_passed(fit)) for path in limited or ()]
    rest = Route(
        match=RouteMatch(prefix="/"),
        route=_passed(fit),
        typed_per_filter_config=unshown() if limited is not None else {},
    )
    return [*shown, rest]


def _manager(fit: Fit) -> HttpConnectionManager:
    manager = one_reading()
    manager.stat_prefix = "ingress"
    manager.use_remote_address = True
    manager.xff_num_trusted_hops = fit.trusted_hops
    manager.common_http_protocol_options = HttpProtocolOptions(
        headers_with_underscores_action=HttpProtocolOptionsHeadersWithUnderscoresAction.REJECT_REQUEST,
        idle_timeout=timedelta(seconds=60),
    )
    manager.request_timeout = timedelta(seconds=30)
    manager.access_log = [_access_log()]
    host = VirtualHost(name=APPLICATION, domains=["*"], routes=routes(fit))
    manager.route_config = RouteConfiguration(name=APPLICATION, virtual_hosts=[host])
    router = HttpFilter(name="envoy.filters.http.router", typed_config=Any.pack(Router()))
    manager.http_filters = [ext_authz(fit), router]
    return manager


def _access_log() -> AccessLog:
    form = SubstitutionFormatString(json_format=Struct.from_dict(_LOGGED))
    return AccessLog(name="envoy.access_loggers.stdout", typed_config=Any.pack(StdoutAccessLog(log_format=form)))


def _matching(pattern: str) -> RouteMatch:
    return RouteMatch(safe_regex=RegexMatcher(regex=pattern))


def _passed(fit: Fit) -> RouteAction:
    return RouteAction(cluster=APPLICATION, timeout=timedelta(seconds=fit.route_timeout))
