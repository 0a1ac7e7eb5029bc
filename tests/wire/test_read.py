"""Bytes become one canonical request, or a refusal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz import wire
from authz._pb.envoy.service.auth.v3.external_auth_pb2 import CheckRequest
from authz.errors import Refusal
from authz.model import Ambiguity, Peer, Reason, Request
from authz.wire.read import _known_peer
from tests.wire.conftest import NOW, check_request, read


def reason_of(data: bytes) -> str | None:
    """Return why bytes are refused, or `None`."""
    try:
        assert isinstance(wire.read(data, now=NOW), Request)
    except Refusal as refusal:
        return refusal.reason
    return None


def test_a_request_is_read() -> None:
    """Every attribute arrives, canonical where there is a canonical form."""
    message = check_request("POST", "//v1/./%6Frders/7?a=1&b", host="API.Example.com:8443", id="42")
    attributes = message.attributes
    attributes.request.time.seconds, attributes.request.time.nanos = 1_795_000_000, 500_000_000
    attributes.context_extensions["route"] = "orders"
    request = read(message)
    assert (request.method, request.path, request.query) == ("POST", "/v1/orders/7", "a=1&b")
    assert (request.scheme, request.host, request.port) == ("https", "api.example.com", 8443)
    assert (request.protocol, request.id, request.time) == ("HTTP/1.1", "42", 1_795_000_000.5)
    assert request.extensions == {"route": "orders"}
    assert request.envoy == attributes


@pytest.mark.parametrize(("scheme", "port"), [("https", 443), ("HTTP", 80), ("", 0)])
def test_a_port_follows_from_the_scheme(scheme: str, port: int) -> None:
    """A host without a port is at its scheme's; nobody guesses one without a scheme."""
    request = read(check_request(scheme=scheme))
    assert (request.scheme, request.port) == (scheme.lower(), port)


@pytest.mark.parametrize("seconds", [0, -1])
def test_now_is_the_time_where_envoy_states_none(seconds: int) -> None:
    """A missing or impossible time is replaced by the caller's clock."""
    message = check_request()
    message.attributes.request.time.seconds = seconds
    assert read(message).time == NOW
    assert read(check_request()).time == NOW


def test_ambiguities_are_the_documents_to_settle() -> None:
    """Rows P3, P5: encoded slashes and parameters are named, and the request is not refused here."""
    request = read(check_request(path="/a%2Fb/..;x/c"))
    assert (request.path, request.ambiguities) == ("/c", {Ambiguity.ENCODED_SLASH, Ambiguity.PATH_PARAMETERS})
    assert all(isinstance(found, Ambiguity) for found in request.ambiguities)
    assert read(check_request()).ambiguities == frozenset()


@pytest.mark.parametrize(
    "attributes",
    [
        {"path": ""},
        {"path": "*", "method": "OPTIONS"},
        {"path": "", "method": "CONNECT"},
        {"path": "api.example.com:443", "method": "CONNECT"},
        {"path": "http://evil/x"},
        {"path": "/a/%2e%2e/b"},
        {"path": "/a#b"},
        {"host": ""},
        {"host": "a@b"},
        {"method": ""},
        {"method": "GET /"},
        {"method": "GÉT"},
        {"scheme": "javascript"},
    ],
)
def test_what_has_two_readings_is_refused(attributes: dict[str, str]) -> None:
    """Rows P8, P9, P10, H10: refused as ambiguous."""
    assert reason_of(check_request(**attributes).SerializeToString()) == Reason.AMBIGUOUS_REQUEST


def test_methods_keep_their_case() -> None:
    """Row P12: `get` is not `GET`, and an unknown method is a method."""
    assert [read(check_request(method)).method for method in ("get", "GeT", "PURGE")] == ["get", "GeT", "PURGE"]


@pytest.mark.parametrize(
    "name",
    [
        *("x-http-method-override", "x-http-method", "x-method-override", "x-forwarded-method", "x-original-method"),
        *("x-forwarded-uri", "x-original-url", "x-rewrite-url", "x-envoy-original-path", "x-forwarded-host"),
    ],
)
def test_no_header_overrides_the_request(name: str) -> None:
    """Row P12: what is decided on comes from Envoy's attributes alone."""
    plain, overriding = read(check_request()), read(check_request(headers={name: "/public"}))
    assert (overriding.method, overriding.path, overriding.host) == (plain.method, plain.path, plain.host)


def test_the_attributes_query_and_fragment_are_not_looked_at() -> None:
    """Row P2: Envoy leaves them empty; the query is in the path."""
    request = read(check_request(path="/a?b=1", query="c=2", fragment="d"))
    assert (request.path, request.query) == ("/a", "b=1")


def test_peers_are_read() -> None:
    """Row H8: the direct peer, its address canonical, and no header looked at."""
    message = check_request(headers={"x-forwarded-for": "1.2.3.4"})
    source = message.attributes.source
    source.address.socket_address.address, source.address.socket_address.port_value = "::ffff:10.0.0.5", 4711
    source.principal, source.service, source.certificate = "spiffe://a/b", "web", "-----BEGIN"
    source.labels["app"] = "shop"
    message.attributes.destination.address.pipe.path = "/run/envoy.sock"
    request = read(message)
    assert request.source == Peer(
        ip="10.0.0.5",
        port=4711,
        principal="spiffe://a/b",
        service="web",
        labels={"app": "shop"},
        certificate="-----BEGIN",
    )
    assert request.destination == Peer()


def test_a_long_certificate_is_read_and_not_remembered() -> None:
    """Row H12: a peer of 100 KiB reads like any other, and thousands of them do not stay in memory."""
    message = check_request()
    message.attributes.source.certificate = "short"
    read(message)
    before = _known_peer.cache_info()
    assert before.currsize > 0
    message.attributes.source.certificate = "x" * 100_000
    assert read(message).source.certificate == "x" * 100_000
    assert _known_peer.cache_info().misses == before.misses


@pytest.mark.parametrize("principal", ["spiffe://a\0b", "spiffe://a\nb", "a\x7f"])
def test_a_principal_with_control_characters_is_none(principal: str) -> None:
    """Row H11: a NUL ends the name for some readers."""
    message = check_request()
    message.attributes.source.principal = principal
    assert read(message).source.principal == ""


@pytest.mark.parametrize(
    "data",
    [b"", b"\n\0", b"\xff", b"\x0a\xff", check_request().SerializeToString()[:-1], b"\n\x02\x22\x00"],
    ids=["empty", "no request", "no field", "no length", "cut", "no http"],
)
def test_what_is_no_request_is_malformed(data: bytes) -> None:
    """Row G1: bytes that are no CheckRequest about HTTP are refused, never raised."""
    assert reason_of(data) == Reason.MALFORMED


@pytest.mark.parametrize(
    "field", ["api.example.com", "/v1/orders/7", "GET", "https", "HTTP/1.1", "value-of-header", "name-of-header"]
)
def test_invalid_utf8_in_a_text_is_malformed(field: str) -> None:
    """Row G1: every string field is checked by the parser."""
    data = check_request(headers={"name-of-header": "value-of-header"}).SerializeToString()
    assert field.encode() in data
    assert reason_of(data.replace(field.encode(), b"\xff" * len(field))) == Reason.MALFORMED


def test_deep_metadata_is_malformed() -> None:
    """Row G9: the parser bounds nesting."""
    message = check_request()
    value = message.attributes.metadata_context.filter_metadata["deep"].fields["a"]
    for _ in range(200):
        value = value.struct_value.fields["a"]
    value.bool_value = True
    assert reason_of(message.SerializeToString()) == Reason.MALFORMED


def test_unknown_fields_are_ignored() -> None:
    """A newer Envoy says more; what we know reads the same."""
    data = check_request().SerializeToString()
    assert wire.read(data + b"\xfa\x7f\x03abc", now=NOW).path == "/v1/orders/7"


def test_ten_thousand_headers_are_read() -> None:
    """Row G1: a flood of headers costs time in proportion, nothing else."""
    request = read(check_request(headers={f"x-{number}": "a" for number in range(10_000)}))
    assert len(request.headers) == 10_000


@given(st.binary(max_size=200))
def test_any_bytes_are_a_request_or_a_refusal(data: bytes) -> None:
    """Row G1: nothing else comes out, whatever comes in."""
    assert reason_of(data) in {None, Reason.MALFORMED, Reason.AMBIGUOUS_REQUEST}


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_any_attributes_are_a_request_or_a_refusal(method: str, path: str, host: str, value: str) -> None:
    """Row G1: the same with bytes that are a CheckRequest."""
    message = check_request(method, f"/{path}", host=host, headers={"authorization": value})
    assert reason_of(message.SerializeToString()) in {None, Reason.AMBIGUOUS_REQUEST}


def test_a_message_is_read_from_its_bytes_alone() -> None:
    """Reading twice gives equal requests, and remembered peers are equal to fresh ones."""
    data = check_request(headers={"a": "b"}).SerializeToString()
    assert wire.read(data, now=NOW) == wire.read(data, now=NOW)
    assert CheckRequest.FromString(data).attributes == wire.read(data, now=NOW).envoy
