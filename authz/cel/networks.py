"""Addresses and networks: one address in one network, and one address in very many.

An address is read in canonical or any other valid text; an IPv4-mapped IPv6 address is the IPv4 address it maps. Text
that is no address is an error and never "outside". An index holds networks as merged, sorted ranges of integers: asking
costs a bisection, whatever the number of networks.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING

from authz._pb.authz.v1.vocabulary_pb2 import NetworkSet
from authz.cel.indexes import Indexed, indexed
from authz.cel.values import NoValueError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MAPPED = IPv6Network("::ffff:0:0/96")


class NetworkIndex(Indexed):
    """The value of a variable of type `NETWORK_SET`; the engine sees a message with its number.

    `beside` is another index whose networks are in this one too, without being merged into it.
    """

    __slots__ = ("_beside", "_ranges")

    def __init__(self, networks: Iterable[str], *, beside: NetworkIndex | None = None) -> None:
        ranges: dict[int, list[tuple[int, int]]] = {4: [], 6: []}
        for version, low, high in map(network, networks):
            ranges[version].append((low, high))
        self._ranges = {version: _merged(found) for version, found in ranges.items()}
        self._beside = beside
        super().__init__(None)
        self.fitted = NetworkSet(name=str(self.number))

    def __contains__(self, address_text: str) -> bool:
        version, number = address(address_text)
        starts, ends = self._ranges[version]
        at = bisect_right(starts, number) - 1
        return (at >= 0 and number <= ends[at]) or (self._beside is not None and address_text in self._beside)


def in_set(address_text: str, networks: NetworkSet) -> bool:
    """Return whether an address is in an indexed set, named by the engine's form of it."""
    return address_text in indexed(int(networks.name), NetworkIndex)


def in_networks(address_text: str, number: int) -> bool:
    """Return whether an address is in an indexed set, named by its number."""
    return address_text in indexed(number, NetworkIndex)


def in_cidr(address_text: str, network_text: str) -> bool:
    """Return whether an address is in one network."""
    version, number = address(address_text)
    its_version, low, high = network(network_text)
    return version == its_version and low <= number <= high


@lru_cache(maxsize=4096)
def address(text: str) -> tuple[int, int]:
    """Return version and number of an address, a mapped one unmapped; raise `NoValueError` if it is none."""
    try:
        read: IPv4Address | IPv6Address = ip_address(text)
    except ValueError:
        raise NoValueError("not an IP address") from None
    if isinstance(read, IPv6Address):
        if read.scope_id is not None:
            raise NoValueError("not an IP address")
        read = read.ipv4_mapped or read
    return read.version, int(read)


@lru_cache(maxsize=4096)
def network(text: str) -> tuple[int, int, int]:
    """Return version, lowest and highest number of a network or a single address; raise `NoValueError` if it is none.

    Bits behind the prefix must be zero: `10.0.0.1/8` is a slip, and which network was meant is a guess.
    """
    try:
        read = ip_network(text)
    except ValueError as error:
        slip = "host bits" in str(error)
        raise NoValueError("not a network" + (": bits are set behind the prefix" if slip else "")) from None
    low, high = int(read.network_address), int(read.broadcast_address)
    if isinstance(read, IPv6Network) and read.subnet_of(_MAPPED):
        return 4, low & 0xFFFFFFFF, high & 0xFFFFFFFF
    return read.version, low, high


def _merged(ranges: list[tuple[int, int]]) -> tuple[list[int], list[int]]:
    """Return starts and ends of ranges that neither touch nor overlap, in order."""
    starts, ends = [], []
    for low, high in _runs(sorted(ranges)):
        starts.append(low)
        ends.append(high)
    return starts, ends


def _runs(ranges: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    run: tuple[int, int] | None = None
    for low, high in ranges:
        if run is not None and low <= run[1] + 1:
            run = run[0], max(run[1], high)
            continue
        if run is not None:
            yield run
        run = low, high
    if run is not None:
        yield run
