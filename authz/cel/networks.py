"""Addresses and networks: one address in one network, and one address in very many.

An address is read in canonical or any other valid text; an IPv4-mapped IPv6 address is the IPv4 address it maps. Text
that is no address is an error and never "outside". An index holds networks as merged, sorted ranges of integers, each
with the time at which it ends: asking costs a bisection, whatever the number of networks.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from functools import lru_cache
from heapq import heappop, heappush
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from itertools import pairwise, repeat
from typing import TYPE_CHECKING

from authz._pb.authz.v1.vocabulary_pb2 import NetworkSet
from authz.cel.indexes import Indexed, indexed
from authz.cel.values import NoValueError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Range = tuple[int, int, float]
    Ranges = tuple[list[int], list[int], list[float]]

TOGETHER = 128
"""Bounds of networks that are looked at between two pauses."""

_MAPPED = IPv6Network("::ffff:0:0/96")


class NetworkIndex(Indexed):
    """The value of a variable of type `NETWORK_SET`; the engine sees a message with its number.

    `ends` are the times at which networks stop to count, in seconds since the epoch; left out, none does. `at` gives
    the index as it is at another time, which costs nothing. `pause` is called now and then while it is made.
    """

    __slots__ = ("_moment", "_ranges")

    def __init__(
        self,
        networks: Iterable[str],
        ends: Iterable[float] = repeat(math.inf),
        *,
        pause: Callable[[], None] = lambda: None,
    ) -> None:
        found: dict[int, list[Range]] = {4: [], 6: []}
        for (version, low, high), end in zip(map(network, networks), ends, strict=False):
            found[version].append((low, high, end))
        self._begin({version: _disjoint(ranges, pause) for version, ranges in found.items()}, -math.inf)

    def _begin(self, ranges: Mapping[int, Ranges], moment: float) -> None:
        self._ranges = ranges
        self._moment = moment
        super().__init__(None)
        self.fitted = NetworkSet(name=str(self.number))

    def at(self, moment: float) -> NetworkIndex:
        """Return the index of the networks that end after a moment."""
        index = NetworkIndex.__new__(NetworkIndex)
        index._begin(self._ranges, moment)  # noqa: SLF001 - another one of this class
        return index

    def __contains__(self, address_text: str) -> bool:
        version, number = address(address_text)
        lows, highs, ends = self._ranges[version]
        at = bisect_right(lows, number) - 1
        return at >= 0 and number <= highs[at] and ends[at] > self._moment


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


def _disjoint(ranges: list[Range], pause: Callable[[], None]) -> Ranges:
    """Return lows, highs and ends of ranges that do not overlap, in order; what several cover ends with the last."""
    ranges.sort()
    lows, highs, ends = list[int](), list[int](), list[float]()
    bounds = sorted({bound for low, high, _ in ranges for bound in (low, high + 1)})
    covering: list[tuple[float, int]] = []
    waiting = 0
    for number, (low, beyond) in enumerate(pairwise(bounds)):
        if number % TOGETHER == 0:
            pause()
        while waiting < len(ranges) and ranges[waiting][0] == low:
            heappush(covering, (-ranges[waiting][2], ranges[waiting][1]))
            waiting += 1
        while covering and covering[0][1] < low:
            heappop(covering)
        if not covering:
            continue
        end = -covering[0][0]
        if highs and highs[-1] == low - 1 and ends[-1] == end:
            highs[-1] = beyond - 1
        else:
            lows.append(low)
            highs.append(beyond - 1)
            ends.append(end)
    return lows, highs, ends
