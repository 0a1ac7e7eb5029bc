"""Fixtures as the bytes Envoy would send, read back by the service's own reader."""

from __future__ import annotations

import textwrap

import pytest

from authz.model import BodyState, Location, Request
from authz.testing import read_suites
from authz.testing.asking import Asked, asked_of, message
from authz.wire import read
from tests.testing.conftest import HEAD


def asked(fixture: str) -> Asked:
    """Return what a fixture asks, beside the usual ones."""
    text = HEAD + textwrap.indent(f"  it: {fixture}\n", "  ") + "  cases: [{name: x, request: it, expect: allow}]\n"
    (suite,) = read_suites({"t_test.yaml": text.encode()})
    spec = suite.document.spec
    named = {str(name): request for name, request in spec.requests.items()}
    return asked_of(named["it"], spec.requests)


def seen(fixture: str) -> Request:
    """Return what the service reads of a fixture."""
    return read(message(asked(fixture)), now=5.0)


def test_a_fixture_says_everything_a_request_has() -> None:
    """Method, URL, headers with several values, peer, route and filter metadata arrive as they are written."""
    request = seen(
        "{method: PATCH, url: 'https://a.example.com:8443/x?y=1', headers: {x-a: [1a, 2b]}, ip: 2001:db8::1, "
        "principal: spiffe://a/b, protocol: HTTP/2, context_extensions: {tier: gold}, metadata: {f: {n: {m: 1}}}}"
    )
    assert (request.method, request.scheme, request.host, request.port) == ("PATCH", "https", "a.example.com", 8443)
    assert (request.path, request.query, request.headers["x-a"]) == ("/x", "y=1", "1a,2b")
    assert (request.source.ip, request.source.principal, request.protocol) == ("2001:db8::1", "spiffe://a/b", "HTTP/2")
    assert (request.extensions, request.time) == ({"tier": "gold"}, 5.0)
    assert request.envoy.metadata_context.filter_metadata["f"]["n"]["m"] == 1


def test_a_request_like_another_differs_where_it_says_so() -> None:
    """Headers are joined by name, an empty list takes one away, a body of another kind brings its own type."""
    like = asked("{like: place, method: PUT, headers: {x-tenant: [], x-b: c}, form: {sku: [a, b]}}")
    assert (like.method, like.url) == ("PUT", "https://shop.example.com/orders")
    assert like.headers == (("content-type", "application/x-www-form-urlencoded"), ("x-b", "c"))
    assert like.body == b"sku=a&sku=b"


@pytest.mark.parametrize("state", BodyState)
def test_every_state_of_a_body_can_be_had(state: BodyState) -> None:
    """B5: what is asked for is what the service finds, with a body and without one."""
    request = seen(f"{{like: place, body_state: {state}}}")
    assert request.body_state is state
    if state is not BodyState.COMPLETE:
        assert seen(f"{{like: read, method: POST, body_state: {state}}}").body_state is state


def test_a_body_arrives_whole_unless_something_is_said() -> None:
    """JSON with its type, text with none, nothing where nothing is sent."""
    placed = seen("{like: place}")
    assert (placed.body, placed.headers["content-type"]) == (b'{"sku":"a"}', "application/json")
    text = seen("{like: read, method: POST, body: '<a/>'}")
    assert (text.body, text.body_state) == (b"<a/>", BodyState.COMPLETE)
    assert "content-type" not in text.headers
    assert seen("{like: read, method: POST}").body_state is BodyState.ABSENT
    assert seen("{like: read, method: POST, json: null}").body == b"null"


def test_a_header_that_is_said_goes_before_what_envoy_would_say() -> None:
    """E2: a length that lies is sent as it lies."""
    assert seen("{like: place, headers: {content-length: '3'}}").body_state is BodyState.INVALID


def test_a_path_alone_is_asked_of_localhost() -> None:
    """As `authz eval GET /x` does."""
    assert Asked(method="GET", url="/x?y").parts == ("http", "localhost", "/x?y")
    assert Asked(method="GET", url="https://h").parts == ("https", "h", "/")
    assert Asked(method="GET", url="https://h?y").parts == ("https", "h", "/?y")


def test_a_place_may_be_known_or_not_or_nobody_there_to_ask() -> None:
    """What GeoIP files would say is said; `{}` is an address they do not know, and nothing is no file."""
    assert asked("{like: read, geo: {country: DE, asn: 64500, organization: X}}").location == Location(
        country="DE", asn=64500, organization="X"
    )
    assert asked("{like: read, geo: {}}").location == Location()
    assert asked("{like: read}").location is None
