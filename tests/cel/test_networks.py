"""Addresses in networks."""

from __future__ import annotations

import math
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz._pb.authz.v1.vocabulary_pb2 import NetworkSet
from authz.cel.networks import TOGETHER, NetworkIndex, address, in_cidr, in_networks, in_set, network
from authz.cel.values import NoValueError

v4_networks = st.builds(
    lambda number, prefix: str(ip_network((number, prefix), strict=False)),
    st.integers(0, 2**32 - 1),
    st.integers(0, 32),
)
v4_addresses = st.integers(0, 2**32 - 1).map(lambda number: str(ip_address(number)))
v6_networks = st.builds(
    lambda number, prefix: str(ip_network((number, prefix), strict=False)),
    st.integers(2**32, 2**128 - 1),
    st.integers(0, 128),
)
v6_addresses = st.integers(2**64, 2**128 - 1).map(lambda number: str(ip_address(number)))


@given(st.lists(st.one_of(v4_networks, v6_networks), max_size=20), st.one_of(v4_addresses, v6_addresses))
def test_an_index_says_what_its_networks_say(networks: list[str], asked: str) -> None:
    """An address is in a set exactly if it is in one of its networks."""
    index = NetworkIndex(networks)
    one_by_one = any(ip_address(asked) in ip_network(each) for each in networks)
    assert (asked in index) is one_by_one
    assert in_networks(asked, index.number) is one_by_one


@given(st.lists(v4_networks, min_size=1, max_size=10))
def test_the_edges_of_networks_are_inside(networks: list[str]) -> None:
    """First and last address of every network belong to it, however networks overlap."""
    index = NetworkIndex(networks)
    for each in map(ip_network, networks):
        assert str(each.network_address) in index
        assert str(each.broadcast_address) in index


SMALL = st.builds(
    lambda number, prefix: str(ip_network((number, prefix), strict=False)), st.integers(0, 255), st.integers(24, 32)
)


@given(
    st.lists(st.tuples(SMALL, st.sampled_from([1.0, 2.0, 3.0, math.inf])), max_size=12),
    st.sampled_from([-math.inf, 0.0, 1.0, 2.0, 2.5, 9.0]),
)
def test_a_network_counts_until_it_ends(networks: list[tuple[str, float]], moment: float) -> None:
    """However networks overlap, touch and end: an address is in the set while any network that holds it counts."""
    index = NetworkIndex([each for each, _ in networks], [end for _, end in networks]).at(moment)
    for number in range(256):
        asked = ip_address(number)
        assert (str(asked) in index) is any(asked in ip_network(each) for each, end in networks if end > moment)


def test_an_index_of_another_time_is_another_value() -> None:
    """Each has a number of its own, and what it shares is no reason to mix them up."""
    index = NetworkIndex(["10.0.0.0/8"], [5.0])
    later = index.at(5.0)
    assert in_networks("10.0.0.1", index.number)
    assert not in_networks("10.0.0.1", later.number)
    assert index.number != later.number


def test_a_mapped_address_is_the_address_it_maps() -> None:
    """`::ffff:10.1.2.3` is 10.1.2.3, on both sides."""
    assert in_cidr("::ffff:10.1.2.3", "10.0.0.0/8")
    assert in_cidr("10.1.2.3", "::ffff:10.0.0.0/104")
    assert in_cidr("::ffff:a01:203", "10.1.2.3")
    assert not in_cidr("::10.1.2.3", "10.0.0.0/8")


@pytest.mark.parametrize(
    "text", ["", "10.1.2", "10.1.2.3.4", "010.1.2.3", "10.1.2.3/8", " 10.1.2.3", "fe80::1%eth0", "x"]
)
def test_what_is_no_address_is_an_error(text: str) -> None:
    """Never inside, and never outside either."""
    with pytest.raises(NoValueError):
        address(text)
    with pytest.raises(NoValueError):
        in_cidr(text, "0.0.0.0/0")


@pytest.mark.parametrize("text", ["", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/-1", "::/129", "x/8", "10.0.0.0/8/8"])
def test_what_is_no_network_is_an_error(text: str) -> None:
    """Bits behind the prefix are a slip, and no guess is made at what was meant."""
    with pytest.raises(NoValueError):
        network(text)


def test_a_set_that_is_gone_is_an_error() -> None:
    """A number nobody keeps a set for has no answer."""
    with pytest.raises(NoValueError):
        in_set("10.1.2.3", NetworkSet(name="999999999"))


def test_whoever_makes_a_large_index_can_pause() -> None:
    """Sorting out which networks overlap takes a while, too."""
    pauses: list[None] = []
    networks = [f"10.{number >> 8}.{number & 255}.0/24" for number in range(0, 2000, 2)]
    index = NetworkIndex(networks, pause=lambda: pauses.append(None))
    assert len(pauses) >= 1000 / TOGETHER
    assert "10.0.2.1" in index
    assert "10.0.1.1" not in index
