"""What Envoy would run, found in a file of any shape: a bootstrap, one resource, answers of xDS, `/config_dump`.

A resource is known by its type or by the fields that only it has, wherever it stands. What goes out of a mesh
(`traffic_direction: OUTBOUND`) is left out: it is not what the application is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from authz.envoy.fitting import FILTER
from authz.envoy.reading import Message, opened
from authz.policy.source import Mapping, Sequence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from authz.policy.source import Node

EXT_AUTHZ = "envoy.extensions.filters.http.ext_authz.v3.ExtAuthz"
PER_ROUTE = "envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute"
MANAGER = ".HttpConnectionManager"
_NAMES = frozenset({FILTER, "envoy.ext_authz"})
_ROUTED = ("route_config", "rds", "scoped_routes")
_CLUSTER_FIELDS = ("load_assignment", "connect_timeout", "eds_cluster_config", "typed_extension_protocol_options")


class HttpFilter:
    """One HTTP filter: its entry, and its configuration where that is written here."""

    def __init__(self, entry: Message, config: Message | None = None) -> None:
        self.entry = entry
        self.name = entry.text("name")
        self.config = config or entry.message("typed_config")

    @property
    def kind(self) -> str:
        """Its type without package and version: `ext_authz`, `jwt_authn`; by its name where it has no type."""
        parts = (self.config.type if self.config else "").split(".")
        return parts[-3] if len(parts) > 3 else self.name.rpartition(".")[2]

    @property
    def asks(self) -> bool:
        """Whether it is ext_authz."""
        discovered = self.entry.message("config_discovery")
        urls = discovered.texts("type_urls") if discovered else []
        known = self.config.type == EXT_AUTHZ if self.config and self.config.type else self.name in _NAMES
        return known or any(url.endswith(EXT_AUTHZ) for url in urls)


class Manager:
    """An HTTP connection manager, or the filters of one. `whole` is whether all of it is written here."""

    def __init__(self, message: Message) -> None:
        self.message = message
        self.filters = [HttpFilter(entry) for entry in message.messages("http_filters")]
        self.whole = message.type.endswith(MANAGER) or any(map(message.has, _ROUTED))

    @property
    def asking(self) -> list[tuple[int, HttpFilter]]:
        """Return its ext_authz filters and where they stand."""
        return [(place, one) for place, one in enumerate(self.filters) if one.asks]

    @property
    def routes(self) -> str | None:
        """Return the name of the route configuration that it is sent by others."""
        rds = self.message.message("rds")
        return rds.text("route_config_name") if rds else None


class Parts(msgspec.Struct, kw_only=True):
    """What was found. `bare` are configurations of ext_authz that stand in no filter chain."""

    managers: list[Manager] = []
    listeners: list[Message] = []
    routes: list[Message] = []
    clusters: list[Message] = []
    admins: list[Message] = []
    bare: list[HttpFilter] = []

    @property
    def any(self) -> bool:
        """Whether there is anything that can be looked at."""
        return bool(self.managers or self.listeners or self.routes or self.bare)

    def routes_of(self, manager: Manager) -> list[Message]:
        """Return the route configurations of a manager, as far as they are here."""
        own = manager.message.message("route_config")
        if own is not None:
            return [own]
        if manager.message.has("scoped_routes"):
            return self.routes
        return [one for one in self.routes if manager.routes and one.text("name") == manager.routes]


def parts(documents: Iterable[Node]) -> Parts:
    """Return what is found in all documents together."""
    found = Parts()
    seen: set[int] = set()
    for document in documents:
        _look(document, "", found, seen)
    return found


def _look(node: Node, key: str, found: Parts, seen: set[int]) -> None:
    """Look at a node under a key and at all below it, at each once."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, Sequence):
        for one in node:
            _look(one, key, found, seen)
    if not isinstance(node, Mapping):
        return
    message = opened(node)
    if message.text("traffic_direction") == "OUTBOUND":
        return
    _keep(message, key, found)
    for name, child in message.node.items():
        _look(child, str(name), found, seen)


def _keep(message: Message, key: str, found: Parts) -> None:
    for kept, is_one in (
        (found.listeners, message.has("filter_chains") or message.has("default_filter_chain")),
        (found.routes, message.has("virtual_hosts")),
        (found.clusters, _is_cluster(message, key)),
        (found.admins, key == "admin" and message.has("address")),
    ):
        if is_one:
            kept.append(message)
    if message.type.endswith(MANAGER) or (message.has("http_filters") and not message.type):
        found.managers.append(Manager(message))
    config = message.message("typed_config")
    if key not in {"http_filters", "filters"} and config is not None and config.type == EXT_AUTHZ:
        found.bare.append(HttpFilter(message))
    if message.type == EXT_AUTHZ and key != "typed_config":
        found.bare.append(HttpFilter(message, message))


def _is_cluster(message: Message, key: str) -> bool:
    if message.type:
        return message.type.endswith(".cluster.v3.Cluster")
    return key in {"clusters", "cluster"} and any(map(message.has, _CLUSTER_FIELDS))


def settings_of(routes: Message) -> Iterator[tuple[str, Message, Message]]:
    """Yield every place of a route configuration that can have settings of filters: what it is called, it, its host."""
    yield f'route configuration "{routes.text("name")}"', routes, routes
    for host in routes.messages("virtual_hosts"):
        named = f'virtual host "{host.text("name")}"'
        yield named, host, host
        for route in host.messages("routes"):
            yield f"route {described(route)} of {named}", route, host
            action = route.message("route")
            weighted = action.message("weighted_clusters") if action else None
            for cluster in weighted.messages("clusters") if weighted else ():
                yield f'cluster "{cluster.text("name")}" of route {described(route)}', cluster, host


def described(route: Message) -> str:
    """Return what a route matches, as a person would say it."""
    match = route.message("match")
    for name in ("prefix", "path", "path_separated_prefix"):
        if match and match.has(name):
            return f'"{match.text(name)}"'
    regex = match.message("safe_regex") if match else None
    return f'"{regex.text("regex")}"' if regex else f'"{route.text("name")}"'
