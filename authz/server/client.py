"""Who the caller is when proxies stand before Envoy: `client.ip`.

`x-forwarded-for` is a list to which each proxy appends the peer it saw; everything left of what our own proxies wrote
is what the caller says of itself. So it is read from the right, and only as far as the settings trust. What can't
be read as an address, or is too short, ends the walk at the direct peer. Pure.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from authz.config.settings import ClientSettings
    from authz.config.values import Network
    from authz.model import Request

FARTHEST = 64
"""Entries of the list that are looked at."""

CACHED = 4096


def nobody() -> None:
    """Take no note."""


def client_ip(settings: ClientSettings, unreadable: Callable[[], None] = nobody) -> Callable[[Request], str]:
    """Return what finds the caller of a request: the peer itself, unless proxies are trusted.

    `unreadable` is called where what they wrote is no address, or too short, and the peer is taken for the caller.
    """
    if settings.trusted_networks:
        networks = settings.trusted_networks
        return _walker(lambda chain: _behind_networks(chain, networks), unreadable)
    if settings.trusted_hops:
        hops = settings.trusted_hops
        return _walker(lambda chain: chain[-1 - hops] if len(chain) > hops else "", unreadable)
    return attrgetter("source.ip")


def _walker(find: Callable[[Sequence[str]], str], unreadable: Callable[[], None]) -> Callable[[Request], str]:
    @lru_cache(CACHED)
    def found(forwarded: str, peer: str) -> str:
        return _canonical(find(_chain(forwarded, peer)))

    def walk(request: Request) -> str:
        forwarded, peer = request.headers.get("x-forwarded-for"), request.source.ip
        if not forwarded:
            return peer
        address = found(forwarded, peer)
        if not address:
            unreadable()
        return address or peer

    return walk


def _chain(forwarded: str, peer: str) -> list[str]:
    """List the caller's address as each hop told it, the direct peer last.

    Envoy has appended the peer already where it runs with `use_remote_address`.
    """
    told = [entry.strip() for entry in forwarded.rsplit(",", FARTHEST)[-FARTHEST:]]
    return told if _canonical(told[-1]) == peer else [*told, peer]


def _behind_networks(chain: Sequence[str], networks: Sequence[Network]) -> str:
    """Return the first address from the right that is no proxy, or the leftmost; `""` at one that can't be read."""
    address = ""
    for entry in reversed(chain):
        address = _canonical(entry)
        if not address or not _within(address, networks):
            break
    return address


def _within(address: str, networks: Sequence[Network]) -> bool:
    parsed = ipaddress.ip_address(address)
    return any(parsed in network for network in networks)


def _canonical(text: str) -> str:
    """Write an address one way, an IPv4-mapped one as IPv4, without zone; `""` for what is none."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)
