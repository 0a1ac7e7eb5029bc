"""Tests of the body of a request (rows B1, B2, B9, B10)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from authz.content import Body, BodyError
from authz.model import BodyState, Peer, Request


def request(**changes: Any) -> Request:
    """Return a request with a complete JSON body."""
    plain = Request(
        id="1",
        method="POST",
        scheme="https",
        host="api.example.com",
        port=443,
        path="/v1/orders",
        query="",
        protocol="HTTP/2",
        time=0.0,
        headers={"content-type": "application/json"},
        body=b'{"sku":"a"}',
        body_state=BodyState.COMPLETE,
        source=Peer(),
        destination=Peer(),
    )
    return msgspec.structs.replace(plain, **changes)


def test_a_complete_body_is_read() -> None:
    """A complete JSON body is plain values, parsed once."""
    body = Body(request())

    assert body.json() == {"sku": "a"}
    assert body.json() is body.json()


def test_null_is_a_body() -> None:
    """A body that says `null` is read, and not read again."""
    body = Body(request(body=b"null"))

    assert body.json() is None
    assert body.json() is None


@pytest.mark.parametrize("state", [state for state in BodyState if state is not BodyState.COMPLETE])
def test_a_body_that_is_not_complete_is_an_error(state: BodyState) -> None:
    """B1, B2: a prefix that happens to be valid JSON, or a body Envoy did not send, is never read."""
    with pytest.raises(BodyError, match=f"the body is {state}"):
        Body(request(body_state=state)).json()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "text/plain"},
        {"content-type": "text/plain; x=application/json"},
        {"content-type": "application/json,application/json"},
        {"content-type": "application/json; charset=utf-16"},
        {"content-type": "application/json", "content-encoding": "gzip"},
        {"content-type": "application/json", "content-encoding": "identity, gzip"},
        {"content-type": "application/grpc"},
    ],
)
def test_a_body_that_is_not_said_to_be_json_is_an_error(headers: dict[str, str]) -> None:
    """B9, B10: what other readers might not take for JSON is not JSON here; nothing is inflated."""
    with pytest.raises(BodyError):
        Body(request(headers=headers)).json()


@pytest.mark.parametrize("content", [b"", b"{", b'{"a":1,"a":2}', b"[NaN]", b"\xff"])
def test_a_body_that_is_no_json_is_the_same_error_each_time(content: bytes) -> None:
    """B5: a bad body is an error, a `ValueError`, and the same when asked again."""
    body = Body(request(body=content))
    with pytest.raises(ValueError, match="the body") as first:
        body.json()
    with pytest.raises(BodyError) as second:
        body.json()

    assert str(first.value) == str(second.value)


def test_the_bound_on_bytes_can_be_lowered() -> None:
    """A body above the bound is refused before it is parsed."""
    with pytest.raises(BodyError, match="the body has more than 5 bytes of JSON"):
        Body(request(), max_bytes=5).json()


def form(body: bytes, content_type: str = "application/x-www-form-urlencoded", **changes: Any) -> Request:
    """Return a request with a form."""
    return request(body=body, headers={"content-type": content_type}, **changes)


def test_a_form_is_every_value_of_every_name() -> None:
    """Names and values are decoded once, `+` is a space, and a name that comes twice has two values."""
    assert Body(form(b"a=1&b=%C3%A9+x&a=%2541&c")).form() == {"a": ["1", "%41"], "b": ["é x"], "c": [""]}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"a=%zz", "invalid escape"), (b"a=%ff", "no UTF-8"), (b"a=\xff", "not UTF-8"), (b"a=\xc3\xa9", "escaped"),
        (b"a=1\r\n", "escaped"), (b"a=b c", "escaped"), (b"&" * 1001, "too long"), (b"a" * (1 << 17), "too long"),
    ],
)  # fmt: skip
def test_a_form_that_reads_two_ways_is_an_error(body: bytes, told: str) -> None:
    """B10: what one reader would decode and another would not is refused, and so is too much of anything."""
    with pytest.raises(BodyError, match=told) as caught:
        Body(form(body)).form()
    assert "xff" not in str(caught.value)
    assert "query" not in str(caught.value)


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "text/plain; x=application/x-www-form-urlencoded", "", "a/b",
     "application/x-www-form-urlencoded; charset=utf-16", "application/x-www-form-urlencoded, application/json"],
)  # fmt: skip
def test_only_what_is_said_to_be_a_form_is_one(content_type: str) -> None:
    """B9: the media type is parsed, not looked for; another encoding than UTF-8 is none."""
    with pytest.raises(BodyError, match="not said to be"):
        Body(form(b"a=1", content_type)).form()


@pytest.mark.parametrize("state", [state for state in BodyState if state is not BodyState.COMPLETE])
def test_a_form_that_is_not_complete_is_an_error(state: BodyState) -> None:
    """B1, B2: half a form is no form."""
    with pytest.raises(BodyError, match=f"the body is {state}"):
        Body(form(b"a=1", body_state=state)).form()


def test_a_text_is_utf_8_and_said_to_be_text() -> None:
    """B8, B9: other encodings and other types are no text."""
    assert Body(form("é".encode(), "text/plain; charset=utf-8")).text() == "é"
    for body, content_type in ((b"\xff", "text/plain"), (b"a", "text/plain; charset=latin-1"), (b"a", "image/png")):
        with pytest.raises(BodyError):
            Body(form(body, content_type)).text()
