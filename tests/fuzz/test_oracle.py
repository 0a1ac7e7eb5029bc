"""The oracle says no to every trick in the book, and yes to plain requests."""

from __future__ import annotations

import pytest
from mutations import ANSWERED, SEEDS
from oracle import DoubtError, canonical_target, may_allow

from authz._pb.envoy.service.auth.v3.external_auth_pb2 import CheckRequest


def test_whole_requests_may_be_allowed() -> None:
    """Every seed but the empty one, and none of those that are answered in another way."""
    assert [may_allow(seed) for seed in SEEDS] == [bool(seed) for seed in SEEDS]
    assert not any(map(may_allow, ANSWERED))


@pytest.mark.parametrize(
    "target",
    ["", "*", "a", "/a%2fb", "/a%2Fb", "/a%5cb", "/%2e%2e/a", "/.%2e/a", "/a;b", "/a#b", "/a\\b", "/a b", "/a%00",
     "/a%zz", "/a%", "/%ff", "/%c0%af", "/a\tb", "/%c2%85"],
)  # fmt: skip
def test_what_has_two_readings_is_doubted(target: str) -> None:
    """Rows P3 to P10: a doubt is a denial."""
    with pytest.raises(DoubtError):
        canonical_target(target)


@pytest.mark.parametrize(
    ("target", "path"),
    [("//admin/x", "/admin/x"), ("/%61dmin", "/admin"), ("/x/../admin", "/admin"), ("/a/./b/", "/a/b/"), ("/a/..", "/"),
     ("/a/.", "/a/"), ("/%c3%a4", "/%C3%A4"), ("/\u00e4", "/%C3%A4"), ("/admin?x", "/admin"), ("/%252e", "/%252e"),
     ("/a%2eb", "/a.b"), ("/../../x", "/x")],
)  # fmt: skip
def test_what_has_one_reading_is_read(target: str, path: str) -> None:
    """Rows P1, P2, P4: the canonical path of POLICY.md, section 5."""
    assert canonical_target(target)[0] == path


@pytest.mark.parametrize(
    ("field", "value"),
    [("path", "//admin/x"), ("path", "/x?%64ebug=1"), ("path", "/x?a=%ff"), ("method", "PUT"), ("method", "get"),
     ("host", "INTERNAL.example.com.:80"), ("host", "a b")],
)  # fmt: skip
def test_what_a_rule_denies_is_denied(field: str, value: str) -> None:
    """One rule after the other, by the request's attributes."""
    message = CheckRequest.FromString(SEEDS[0])
    http = message.attributes.request.http
    http.headers.clear()
    assert may_allow(message.SerializeToString())
    setattr(http, field, value)
    assert not may_allow(message.SerializeToString())


@pytest.mark.parametrize("value", [b"admin", b"user, admin", b"\xff", b"a\nb"])
def test_a_role_is_found_in_either_encoding(value: bytes) -> None:
    """Rows H1 to H3: a list of values, and one that is no text."""
    message = CheckRequest.FromString(SEEDS[0])
    message.attributes.request.http.header_map.headers.add(key="X-Role", raw_value=value)
    assert not may_allow(message.SerializeToString())


@pytest.mark.parametrize("address", ["203.0.113.7", "::ffff:203.0.113.7", "", "evil"])
def test_a_peer_is_in_the_network_or_unknown(address: str) -> None:
    """Both are denied."""
    message = CheckRequest.FromString(SEEDS[0])
    message.attributes.source.address.socket_address.address = address
    assert not may_allow(message.SerializeToString())


@pytest.mark.parametrize(
    "body", [b"", b'{"a":2}', b'{"a":true}', b'{"a":1,"a":1}', b'[{"a":1}]', b'{"a":1', b'{"a":1} ']
)
def test_an_order_needs_its_body(body: bytes) -> None:
    """Rows B1, B5 and B6: another value, a double name, half a body, one longer than its length."""
    message = CheckRequest.FromString(next(seed for seed in SEEDS if b"content-length" in seed))
    message.attributes.request.http.raw_body = body
    assert not may_allow(message.SerializeToString())


@pytest.mark.parametrize(
    ("seed", "body"),
    [
        (b"/graph", b'{"query":"mutation { orders }"}'), (b"/graph", b'{"query":"{ secrets }"}'),
        (b"/graph", b'{"query":"{ orders }","documentId":"x"}'), (b"/graph", b"{}"), (b"/graph", b"["),
        (b"/tools", b'{"method":"tools/call","params":{"name":"pay","arguments":{"amount":101}}}'),
        (b"/tools", b'{"method":"tools/call","params":{"name":"pay","arguments":{"amount":true}}}'),
        (b"/tools", b'{"method":"tools/list","params":{"name":"pay","arguments":{"amount":1}}}'),
        (b"/forms", b"a=2"), (b"/forms", b"a=1&a=1"), (b"/forms", b"a=1&b"), (b"/forms", b"a=%ff"), (b"/forms", b""),
    ],
)  # fmt: skip
def test_a_call_needs_its_body(seed: bytes, body: bytes) -> None:
    """Row P10: another operation, another tool, more than is allowed, a field too many."""
    message = CheckRequest.FromString(next(each for each in SEEDS if seed in each and b"POST" in each))
    message.attributes.request.http.raw_body = body
    message.attributes.request.http.size = len(body)
    assert not may_allow(message.SerializeToString())


@pytest.mark.parametrize(
    "path", ["/pages/a", "/pages/a?page=10", "/pages/a?page=1&page=1", "/pages/a?page=1&x=1", "/pages/gone?page=1"]
)
def test_a_page_needs_its_query(path: str) -> None:
    """One number up to nine, and nothing else."""
    message = CheckRequest.FromString(SEEDS[0])
    message.attributes.request.http.headers.clear()
    message.attributes.request.http.path = "/pages/a?page=1"
    assert may_allow(message.SerializeToString())
    message.attributes.request.http.path = path
    assert not may_allow(message.SerializeToString())
