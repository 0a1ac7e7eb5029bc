"""What is wrong with routes: where the filter is off or asks somebody else, and where bodies are not shown.

Which route serves a path is worked out as Envoy does it, in order; a route that also looks at something else than
the path may or may not serve it, so it is looked at and the search goes on.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from authz.envoy import codes
from authz.envoy.asking import body_findings
from authz.envoy.fitting import FILTER
from authz.envoy.parts import described, settings_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz.envoy.asking import Against
    from authz.envoy.parts import HttpFilter, Manager, Parts
    from authz.envoy.reading import Message
    from authz.errors import Fault
    from authz.policy.routing.entries import Route

_ANY_SEGMENT = "x"
_DEFAULT_TIMEOUT = 15.0
_CONDITIONS = ("headers", "query_parameters", "cookies", "grpc", "runtime_fraction", "tls_context", "dynamic_metadata")


def route_findings(routes: Message, names: frozenset[str], against: Against) -> Iterator[Fault]:
    """Yield where a route configuration turns one of the filters off, or gives it other settings."""
    for what, place, _ in settings_of(routes):
        for settings in _own(place, names):
            if settings.flag("disabled"):
                yield settings.finding(codes.ROUTE_OFF, f"the filter is off for {what}", at="disabled")
            if (checks := settings.message("check_settings")) is not None:
                yield from _check_findings(checks, what, against)


def _check_findings(checks: Message, what: str, against: Against) -> Iterator[Fault]:
    """Yield where a place asks somebody else than the filter does, or shows bodies in another way."""
    for service in ("grpc_service", "http_service"):
        if checks.has(service):
            yield checks.finding(codes.OTHER_SERVER, f"{what} asks a server of its own", at=service)
    shown = checks.message("with_request_body")
    if shown is not None:
        yield from body_findings(shown, against)


def _own(place: Message, names: frozenset[str]) -> Iterator[Message]:
    """Yield what a place says of the filters: their settings, and the envelope around them."""
    for name, settings in place.entries("typed_per_filter_config"):
        if name in names:
            yield settings
            if inner := settings.message("config"):
                yield inner


def pair_findings(manager: Manager, parts: Parts, against: Against) -> Iterator[Fault]:
    """Yield what is wrong between the filters of a manager and the routes it has."""
    for _, one in manager.asking:
        if one.config is None:
            continue
        for routes in parts.routes_of(manager):
            yield from _cleared(one, routes)
            yield from _timeouts(one, routes)
            for route in against.needs.bodies if against.needs else ():
                yield from _hidden(one, routes, route)


def _cleared(one: HttpFilter, routes: Message) -> Iterator[Fault]:
    if one.config is None or not one.config.flag("clear_route_cache"):
        return
    if any(True for _, place, _ in settings_of(routes) for _ in _own(place, frozenset({one.name, FILTER}))):
        what = "clear_route_cache is true, and routes have settings of the filter"
        yield one.config.finding(codes.ROUTE_CACHE, what, at="clear_route_cache")


def _timeouts(one: HttpFilter, routes: Message) -> Iterator[Fault]:
    service = one.config.message("grpc_service") if one.config else None
    asking = service.seconds("timeout") if service else None
    for host in routes.messages("virtual_hosts"):
        for route in host.messages("routes"):
            action = route.message("route")
            if action is None or asking is None:
                continue
            timeout = action.seconds("timeout") if action.has("timeout") else _DEFAULT_TIMEOUT
            if timeout and asking >= timeout:
                what = f"the filter waits {asking:g} s, and route {described(route)} only {timeout:g} s"
                yield action.finding(codes.TIMEOUT_ABOVE_ROUTE, what, at="timeout")


def _hidden(one: HttpFilter, routes: Message, needed: Route) -> Iterator[Fault]:
    """Yield the routes that may serve a path whose body policies read, and do not show it."""
    path = "/" + "/".join(_ANY_SEGMENT if segment is None else segment for segment in needed.template.segments)
    for host in routes.messages("virtual_hosts"):
        if not _serves(host, needed.host):
            continue
        for route in host.messages("routes"):
            match = route.message("match")
            if match is None or not _takes(match, path):
                continue
            if not _shows(one, [route, host, routes]):
                what = f"policies read the bodies of {path}, which route {described(route)} does not show"
                yield route.finding(codes.NO_BODY, what, at="match")
            if not any(map(match.has, _CONDITIONS)):
                break


def _serves(host: Message, wanted: str) -> bool:
    """Return whether a virtual host may have requests for a host of a policy; ports do not count."""
    domains = [domain.rpartition(":")[0] or domain for domain in host.texts("domains")]
    if not wanted or "*" in domains or wanted in domains:
        return True
    return any(_overlap(domain, wanted) for domain in domains)


def _overlap(domain: str, wanted: str) -> bool:
    if domain.startswith("*"):
        return wanted.endswith(domain[1:]) or (wanted.startswith("*") and domain.endswith(wanted[1:]))
    return (wanted.startswith("*") and domain.endswith(wanted[1:])) or (
        domain.endswith("*") and wanted.startswith(domain[:-1])
    )


def _takes(match: Message, path: str) -> bool:
    """Return whether a route's match may take a path; what cannot be told here may."""
    fold = str.lower if match.has("case_sensitive") and not match.flag("case_sensitive") else str
    path = fold(path)
    if match.has("prefix"):
        return path.startswith(fold(match.text("prefix")))
    if match.has("path"):
        return path == fold(match.text("path"))
    if match.has("path_separated_prefix"):
        prefix = fold(match.text("path_separated_prefix"))
        return path == prefix or path.startswith(f"{prefix}/")
    regex = match.message("safe_regex")
    try:
        return regex is None or re.fullmatch(regex.text("regex"), path) is not None
    except re.error:
        return True


def _shows(one: HttpFilter, places: list[Message]) -> bool:
    """Return whether bodies are shown on a route; the most specific place that says something has the last word."""
    own = (settings for place in places for settings in _own(place, frozenset({one.name, FILTER})))
    for checks in filter(None, (settings.message("check_settings") for settings in own)):
        if checks.flag("disable_request_body_buffering"):
            return False
        if checks.has("with_request_body"):
            return True
    return one.config is not None and one.config.has("with_request_body")
