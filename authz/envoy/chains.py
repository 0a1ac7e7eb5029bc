"""What is wrong around the filter: where it is missing, what stands before it, and how requests are read.

Where only some filters are given, to be pasted elsewhere, nothing is said of the manager that is not there. The filter
itself is looked at in `asking`, routes in `routing`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.envoy import codes
from authz.envoy.parts import MANAGER, HttpFilter
from authz.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz.envoy.asking import Against
    from authz.envoy.parts import Manager, Parts
    from authz.envoy.reading import Message
    from authz.errors import Fault

_ONE_SLASH = frozenset({"REJECT_REQUEST", "UNESCAPE_AND_REDIRECT", "UNESCAPE_AND_FORWARD", "2", "3", "4"})
_CACHES = frozenset({"cache", "cache_v2", "file_system_http_cache"})
_ANSWER = frozenset({"aws_lambda", "dynamic_modules", "ext_proc", "golang", "lua", "wasm"})
"""Filters that can answer by themselves with something that only some may see."""


def listener_findings(listener: Message) -> Iterator[Fault]:
    """Yield what comes in past HTTP."""
    default = listener.message("default_filter_chain")
    for chain in [*listener.messages("filter_chains"), *([default] if default else [])]:
        types = [config.type for one in chain.messages("filters") if (config := one.message("typed_config"))]
        if types and not any(one.endswith(MANAGER) for one in types):
            yield chain.finding(codes.PASSED_THROUGH, "a filter chain without an HTTP connection manager", at="filters")


def manager_findings(manager: Manager, against: Against) -> Iterator[Fault]:
    """Yield what is wrong with the order of filters, and with how a manager reads requests."""
    if not manager.asking:
        yield manager.message.finding(codes.NO_FILTER, "no ext_authz filter is in this chain", at="http_filters")
    else:
        yield from _order(manager, against)
    yield from _upgrades(manager)
    if manager.whole:
        yield from _reading(manager.message, against)
        yield from _replies(manager.message)
    elif manager.message.has("normalize_path"):
        yield from _paths(manager.message)


def _order(manager: Manager, against: Against) -> Iterator[Fault]:
    first = manager.asking[0][0]
    for place, one in enumerate(manager.filters):
        if one.kind == "router" and place < first:
            asking = manager.asking[0][1]
            yield asking.entry.finding(codes.AFTER_ROUTER, "ext_authz comes after the router", at="name")
        elif place < first and one.kind in _CACHES:
            yield one.entry.finding(codes.CACHED_BEFORE, f"{one.name} comes before ext_authz", at="name")
        elif place < first and one.kind in _ANSWER:
            yield one.entry.finding(codes.ANSWERED_BEFORE, f"{one.name} comes before ext_authz", at="name")
        elif place > first and one.name in _namespaces(manager, against):
            what = f"{one.name} comes after ext_authz, which sends its metadata"
            yield one.entry.finding(codes.LATE_METADATA, what, at="name")


def _namespaces(manager: Manager, against: Against) -> set[str]:
    configs = [one.config for _, one in manager.asking if one.config]
    fields = ("metadata_context_namespaces", "typed_metadata_context_namespaces")
    sent = {name for config in configs for field in fields for name in config.texts(field)}
    return sent | set((against.needs.metadata if against.needs else None) or ())


def _upgrades(manager: Manager) -> Iterator[Fault]:
    for upgrade in manager.message.messages("upgrade_configs"):
        own = upgrade.messages("filters")
        if own and not any(HttpFilter(one).asks for one in own):
            what = f'upgrades to "{upgrade.text("upgrade_type")}" have filters of their own, without ext_authz'
            yield upgrade.finding(codes.UPGRADES, what, at="filters")


def _paths(manager: Message) -> Iterator[Fault]:
    if not manager.flag("normalize_path"):
        yield manager.finding(codes.PATHS, "paths are not normalized", at="normalize_path")
    if not manager.flag("merge_slashes"):
        yield manager.finding(codes.SLASHES, "repeated slashes are kept", at="merge_slashes")
    at = "path_with_escaped_slashes_action"
    if manager.text(at).upper() not in _ONE_SLASH:
        yield manager.finding(codes.ESCAPED_SLASHES, "escaped slashes (%2F) are kept", at=at)


def _reading(manager: Message, against: Against) -> Iterator[Fault]:
    yield from _paths(manager)
    if not manager.flag("use_remote_address"):
        what = "use_remote_address is not true"
        yield manager.finding(codes.REMOTE_ADDRESS, what, at="use_remote_address")
    hops, trusted = int(manager.number("xff_num_trusted_hops") or 0), against.settings.client.trusted_hops
    if hops != trusted and not against.settings.client.trusted_networks:
        what = f"Envoy trusts {counted(hops, 'proxy', 'proxies')} before it, and client.trusted_hops is {trusted}"
        yield manager.finding(codes.HOPS, what, at="xff_num_trusted_hops")


def _replies(manager: Message) -> Iterator[Fault]:
    replies = manager.message("local_reply_config")
    for mapper in replies.messages("mappers") if replies else ():
        if mapper.has("status_code") or mapper.has("body") or mapper.has("body_format_override"):
            yield mapper.finding(codes.REWRITTEN_REPLY, "replies of Envoy's own, ext_authz's among them, are rewritten")
    if replies is not None and replies.has("body_format"):
        yield replies.finding(codes.REWRITTEN_REPLY, "the body of every denial is rewritten", at="body_format")


def unseen_findings(parts: Parts) -> Iterator[Fault]:
    """Yield what Envoy is sent by somebody else, and is not in the files."""
    known = {one.name for one in parts.bare}
    for manager in parts.managers:
        if (manager.routes or manager.message.has("scoped_routes")) and not parts.routes_of(manager):
            at = "rds" if manager.routes else "scoped_routes"
            yield manager.message.finding(codes.UNSEEN, "the routes come from somewhere else", at=at)
        for _, one in manager.asking:
            if one.config is None and one.name not in known:
                yield one.entry.finding(codes.UNSEEN, "the filter's configuration comes from somewhere else", at="name")
    for routes in parts.routes:
        if routes.has("vhds"):
            yield routes.finding(codes.UNSEEN, "virtual hosts come from somewhere else", at="vhds")


def admin_findings(parts: Parts) -> Iterator[Fault]:
    """Yield what is wrong with Envoy's own admin port."""
    for admin in parts.admins:
        address = admin.message("address")
        socket = address.message("socket_address") if address else None
        if socket is not None and not socket.text("address").startswith(("127.", "::1", "localhost")):
            what = f"Envoy's admin port listens on {socket.text('address')}"
            yield socket.finding(codes.ADMIN, what, at="address")
