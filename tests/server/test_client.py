"""Who the caller is when proxies stand before Envoy (rows H8, H9)."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz._pb.envoy.service.auth.v3.external_auth_pb2 import CheckRequest
from authz.config.settings import ClientSettings
from authz.model import Peer, Request
from authz.server.client import client_ip
from authz.wire import read

PROXIES = ClientSettings(trusted_networks=("10.0.0.0/8", "fd00::/8"))  # type: ignore[arg-type]


def _request(forwarded: str | None, peer: str = "10.0.0.5") -> Request:
    headers = {} if forwarded is None else {"x-forwarded-for": forwarded}
    return Request(
        id="", method="GET", scheme="https", host="h", port=443, path="/", query="", protocol="HTTP/2", time=0.0,
        headers=headers, source=Peer(ip=peer), destination=Peer(),
    )  # fmt: skip


@pytest.mark.parametrize("forwarded", [None, "1.2.3.4", "1.2.3.4, 10.0.0.5", "garbage"])
def test_without_trust_the_caller_is_the_direct_peer(forwarded: str | None) -> None:
    """What `x-forwarded-for` says means nothing unless somebody is trusted to have written it (row H8)."""
    assert client_ip(ClientSettings())(_request(forwarded)) == "10.0.0.5"


@pytest.mark.parametrize(
    ("forwarded", "peer", "expected"),
    [
        ("1.2.3.4", "10.0.0.5", "1.2.3.4"),
        ("1.2.3.4, 10.0.0.5", "10.0.0.5", "1.2.3.4"),
        ("6.6.6.6, 1.2.3.4, 10.0.0.7", "10.0.0.5", "1.2.3.4"),
        ("6.6.6.6,1.2.3.4 ,\t10.0.0.7", "10.0.0.5", "1.2.3.4"),
        ("1.2.3.4", "9.9.9.9", "9.9.9.9"),
        ("10.0.0.9, 10.0.0.7", "10.0.0.5", "10.0.0.9"),
        ("2001:DB8::1", "fd00::1", "2001:db8::1"),
        ("1.2.3.4, ::ffff:10.0.0.1", "10.0.0.5", "1.2.3.4"),
        ("::ffff:1.2.3.4", "10.0.0.5", "1.2.3.4"),
        ("fe80::1%eth0, 10.0.0.7", "10.0.0.5", "fe80::1"),
    ],
)
def test_trusted_networks_are_skipped_from_the_right(forwarded: str, peer: str, expected: str) -> None:
    """The first address that is no proxy is the caller; what stands left of it is the caller's own word."""
    assert client_ip(PROXIES)(_request(forwarded, peer)) == expected


@pytest.mark.parametrize(
    "forwarded",
    ["evil", "1.2.3.4:80", "[::1]", '"1.1.1.1, 2.2.2.2"', "127.1", "", ",", "1.2.3.4, unknown", "1.2.3.4, , 10.0.0.7"],
)
def test_what_is_no_address_ends_the_walk_at_the_peer(forwarded: str) -> None:
    """A hop that can't be read is not guessed at, and nothing beyond it is believed (row H9)."""
    assert client_ip(PROXIES)(_request(forwarded)) == "10.0.0.5"


@pytest.mark.parametrize(
    ("hops", "forwarded", "expected"),
    [
        (1, "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        (1, "6.6.6.6, 1.2.3.4, 10.0.0.5", "1.2.3.4"),
        (2, "6.6.6.6, 1.2.3.4, 198.51.100.7", "1.2.3.4"),
        (2, "1.2.3.4", "10.0.0.5"),
        (3, "1.2.3.4, 5.6.7.8", "10.0.0.5"),
        (1, "1.2.3.4, evil", "10.0.0.5"),
        (1, None, "10.0.0.5"),
    ],
)
def test_hops_are_counted_from_the_right(hops: int, forwarded: str | None, expected: str) -> None:
    """Each trusted proxy wrote one entry; a list that is too short or unreadable leaves the peer."""
    assert client_ip(ClientSettings(trusted_hops=hops))(_request(forwarded)) == expected


def test_a_list_of_any_length_costs_a_bounded_walk() -> None:
    """Of five hundred entries the last sixty-four are looked at (row H9)."""
    forwarded = ", ".join(["1.2.3.4"] + ["10.0.0.7"] * 500)
    assert client_ip(PROXIES)(_request(forwarded)) == "10.0.0.7"


@given(st.text(max_size=60), st.ip_addresses())
def test_what_a_caller_prepends_changes_nothing(spoofed: str, caller: ipaddress.IPv4Address) -> None:
    """Whatever the caller sends, its proxy appends the truth behind it."""
    find = client_ip(PROXIES)
    forwarded = f"{spoofed}, {caller}, 10.0.0.7"
    alone = find(_request(f"{caller}, 10.0.0.7"))
    if not any(ipaddress.ip_address(alone) in network for network in PROXIES.trusted_networks):
        assert find(_request(forwarded)) == alone


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (["evil"], "10.0.0.5"),
        (["1.2.3.4:80"], "10.0.0.5"),
        (["[::1]"], "10.0.0.5"),
        (['"1.1.1.1, 2.2.2.2"'], "10.0.0.5"),
        (["127.1"], "10.0.0.5"),
        (["1.2.3.4, ::ffff:10.0.0.1"], "1.2.3.4"),
        (["fe80::1%eth0"], "fe80::1"),
        ([", ".join(["6.6.6.6"] * 500)], "6.6.6.6"),
        (["6.6.6.6", "1.2.3.4, 10.0.0.7"], "1.2.3.4"),
        (["6.6.6.6", "evil"], "10.0.0.5"),
    ],
)
@pytest.mark.parametrize("encoding", ["headers", "header_map"])
def test_no_poison_in_x_forwarded_for_is_taken_for_a_caller(headers: list[str], expected: str, encoding: str) -> None:
    """H9: each of its inputs, in both of Envoy's encodings: unreadable is the peer and counted, mapped is unmapped."""
    message, unread = CheckRequest(), list[None]()
    http = message.attributes.request.http
    http.method, http.path, http.host, http.scheme, http.protocol = "GET", "/", "h", "https", "HTTP/2"
    message.attributes.source.address.socket_address.address = "10.0.0.5"
    if encoding == "headers":
        http.headers["x-forwarded-for"] = ",".join(headers)
    else:
        for value in headers:
            http.header_map.headers.add(key="x-forwarded-for", raw_value=value.encode())
    request = read(message.SerializeToString(), now=0.0)
    assert client_ip(PROXIES, unreadable=lambda: unread.append(None))(request) == expected
    assert bool(unread) == (expected == "10.0.0.5")
