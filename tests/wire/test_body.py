"""A body is complete only if something proves it, and absent only if nothing says it was sent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz import wire
from authz.model import BodyState
from tests.wire.conftest import NOW, check_request, read

PARTIAL = "x-envoy-auth-partial-body"
JSON = b'{"a":1}'


def state(method: str = "POST", **request: object) -> BodyState:
    """Return the state of the body of a request."""
    return read(check_request(method, **request)).body_state


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"content-length": "7"}, BodyState.COMPLETE),
        ({"content-length": "7", PARTIAL: "false"}, BodyState.COMPLETE),
        ({PARTIAL: "false"}, BodyState.COMPLETE),
        ({"transfer-encoding": "chunked", PARTIAL: "false"}, BodyState.COMPLETE),
        ({PARTIAL: "true"}, BodyState.TRUNCATED),
        ({PARTIAL: "1"}, BodyState.TRUNCATED),
        ({PARTIAL: "false,true"}, BodyState.TRUNCATED),
        ({PARTIAL: "false,false"}, BodyState.TRUNCATED),
        ({"content-length": "7", PARTIAL: "true"}, BodyState.TRUNCATED),
        ({"content-length": "8"}, BodyState.TRUNCATED),
        ({"content-length": "8", PARTIAL: "false"}, BodyState.TRUNCATED),
        ({}, BodyState.TRUNCATED),
        ({"transfer-encoding": "chunked"}, BodyState.TRUNCATED),
        ({"content-length": "6"}, BodyState.INVALID),
    ],
)
def test_a_body_that_was_sent(headers: dict[str, str], expected: BodyState) -> None:
    """Row B1: a prefix never passes for the whole, whichever sign of it is missing."""
    assert state(headers=headers, raw_body=JSON) is expected
    assert state(headers=headers, body=JSON.decode()) is expected
    assert state(raw=[(name, value.encode()) for name, value in headers.items()], raw_body=JSON) is expected


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"method": "GET"}, BodyState.ABSENT),
        ({}, BodyState.UNAVAILABLE),
        ({"headers": {"content-length": "0"}}, BodyState.ABSENT),
        ({"headers": {PARTIAL: "false"}, "protocol": "HTTP/2"}, BodyState.ABSENT),
        ({"headers": {"content-length": "0"}, "protocol": "HTTP/2"}, BodyState.ABSENT),
        ({"method": "GET", "protocol": "HTTP/2"}, BodyState.ABSENT),
        ({"method": "HEAD", "protocol": "HTTP/3", "size": -1}, BodyState.ABSENT),
        ({"headers": {"content-length": "10"}}, BodyState.UNAVAILABLE),
        ({"headers": {"content-length": "10", PARTIAL: "false"}}, BodyState.UNAVAILABLE),
        ({"headers": {"transfer-encoding": "chunked"}}, BodyState.UNAVAILABLE),
        ({"size": 10}, BodyState.UNAVAILABLE),
        ({"size": 10, "headers": {"content-length": "0"}}, BodyState.UNAVAILABLE),
        ({"protocol": "HTTP/2"}, BodyState.UNAVAILABLE),
        ({"protocol": "HTTP/3"}, BodyState.UNAVAILABLE),
        ({"protocol": ""}, BodyState.UNAVAILABLE),
        ({"method": "DELETE", "protocol": "HTTP/2"}, BodyState.UNAVAILABLE),
        ({"method": "get", "protocol": "HTTP/2"}, BodyState.UNAVAILABLE),
        ({"headers": {PARTIAL: "true"}}, BodyState.TRUNCATED),
    ],
)
def test_a_body_that_was_not_sent(request_: dict[str, object], expected: BodyState) -> None:
    """Row B2: with buffering off, a body is unavailable and not absent."""
    assert state(**request_) is expected


def test_more_bytes_counted_than_sent_is_truncated() -> None:
    """Row B1: where Envoy counted more bytes than it sent, the rest is missing, whatever it says."""
    assert state(headers={PARTIAL: "false"}, raw_body=JSON, size=8) is BodyState.TRUNCATED
    assert state(headers={PARTIAL: "false"}, raw_body=JSON, size=7) is BodyState.COMPLETE
    assert state(headers={PARTIAL: "false"}, raw_body=JSON, size=-1) is BodyState.COMPLETE


@pytest.mark.parametrize(("limit", "expected"), [(7, BodyState.TRUNCATED), (8, BodyState.COMPLETE)])
def test_a_body_that_just_fills_the_limit_proves_nothing(limit: int, expected: BodyState) -> None:
    """Row B1: Envoy says `false` at the limit and has more; only a length tells such a body from a whole one."""
    message = check_request("POST", headers={PARTIAL: "false"}, raw_body=JSON)
    assert wire.read(message.SerializeToString(), now=NOW, body_limit=limit).body_state is expected
    message.attributes.request.http.headers["content-length"] = "7"
    assert wire.read(message.SerializeToString(), now=NOW, body_limit=limit).body_state is BodyState.COMPLETE


def test_raw_bytes_go_before_text() -> None:
    """Row B3: `raw_body` is what the upstream sees; two bodies that differ are none."""
    message = check_request("POST", headers={"content-length": "7"}, raw_body=JSON, body=JSON.decode())
    assert (read(message).body, read(message).body_state) == (JSON, BodyState.COMPLETE)
    message.attributes.request.http.body = '{"a":2}'
    assert (read(message).body, read(message).body_state) == (JSON, BodyState.INVALID)


def test_text_is_its_bytes() -> None:
    """Row B3: a body sent as text is measured in bytes, as its length is."""
    message = check_request("POST", headers={"content-length": "4"}, body="{ä}")
    assert (read(message).body, read(message).body_state) == ("{ä}".encode(), BodyState.COMPLETE)


@given(st.binary(min_size=1, max_size=40), st.data())
def test_no_prefix_is_ever_complete(body: bytes, data: st.DataObject) -> None:
    """Row B1: whatever Envoy says, a prefix of a body with a stated length is not complete."""
    cut = data.draw(st.integers(0, len(body) - 1))
    partial = data.draw(st.sampled_from([{}, {PARTIAL: "false"}, {PARTIAL: "true"}]))
    headers = {"content-length": str(len(body)), **partial}
    assert state(headers=headers, raw_body=body[:cut]) not in {BodyState.COMPLETE, BodyState.ABSENT}
