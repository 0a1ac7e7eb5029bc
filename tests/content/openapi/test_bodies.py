"""Tests of the bodies of an operation (rows B1, B2, B9, B10)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from authz.content import Body
from authz.content.openapi import compile_api
from authz.model import BodyState, Reason

Ask = Callable[..., list[str] | str | None]
Flaws = Callable[..., list[tuple[str, str]]]
Describe = Callable[..., dict[str, Any]]

SKU = (
    "{type: object, required: [sku], properties: {sku: {pattern: '^[a-z]+$'}, n: {type: integer}}, "
    "additionalProperties: false}"
)


def taking(describe: Describe, content: str, **more: Any) -> dict[str, Any]:
    """Return a document whose operation takes these media types."""
    return describe(f"{{requestBody: {{content: {content}}}}}", method="post", **more)


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b'{"sku":"a"}', "application/json", None),
        (b'{"sku":"a"}', "Application/JSON; charset=utf-8", None),
        (b'{"sku":"A"}', "application/json", ["body /sku pattern"]),
        (b'{"sku":"a","sku":"b"}', "application/json", "the body has an object with two members of one name"),
        (b'{"sku":"a"}', "text/plain; x=application/json", "the operation takes no such media type"),
        (b'{"sku":"a"}', "application/json, text/plain", "the operation takes no such media type"),
        (b'{"sku":"a"}', "", "the operation takes no such media type"),
        (b'{"sku":"a"}', "application/problem+json", None),
        (b"sku=a&n=1", "application/x-www-form-urlencoded", None),
        (b"sku=a&n=x", "application/x-www-form-urlencoded", ["body /n type"]),
        (b"sku=a&sku=b", "application/x-www-form-urlencoded", ["body /sku repeated"]),
        (b"abc", "text/csv", None),
        (b"abcd", "text/csv", ["body  maxLength"]),
        (b"\x00\xff", "image/png", None),
    ],
)
def test_a_body_is_what_its_media_type_says(
    ask: Ask, describe: Describe, body: bytes, content_type: str, expected: object
) -> None:
    """B5, B9: the exact type goes before a range; what cannot be read as its type is refused."""
    content = (
        f"{{application/json: {{schema: {SKU}}}, application/x-www-form-urlencoded: {{schema: {SKU}}}, "
        f"application/*+json: {{}}, application/problem+json: {{schema: {SKU}}}, text/*: {{schema: {{maxLength: 3}}}}, "
        "image/png: {schema: {type: string, format: binary}}}"
    )
    found = ask(taking(describe, content), "/a", "POST", body=body, headers={"content-type": content_type})

    assert found == expected


@pytest.mark.parametrize("state", [BodyState.TRUNCATED, BodyState.UNAVAILABLE, BodyState.INVALID])
def test_a_body_that_was_not_seen_whole_fits_nothing(ask: Ask, describe: Describe, state: BodyState) -> None:
    """B1, B2: a valid prefix is no valid body."""
    document = taking(describe, f"{{application/json: {{schema: {SKU}}}}}")
    found = ask(
        document, "/a", "POST", body=b'{"sku":"a"}', body_state=state, headers={"content-type": "application/json"}
    )

    assert found == f"the body is {state}"


def test_a_body_may_have_to_be_there(ask: Ask, describe: Describe) -> None:
    """`required` says whether no body is one."""
    content = f"content: {{application/json: {{schema: {SKU}}}}}"

    assert ask(describe(f"{{requestBody: {{{content}}}}}", method="post"), "/a", "POST") is None
    assert (
        ask(describe(f"{{requestBody: {{required: true, {content}}}}}", method="post"), "/a", "POST")
        == "there is no body"
    )


@pytest.mark.parametrize(
    ("sent", "refused"),
    [
        ({}, False),
        ({"headers": {"content-length": "0"}}, False),
        ({"body_state": BodyState.UNAVAILABLE}, False),
        ({"body": b"x"}, True),
        ({"headers": {"content-length": "3"}, "body_state": BodyState.UNAVAILABLE}, True),
        ({"headers": {"transfer-encoding": "chunked"}, "body_state": BodyState.UNAVAILABLE}, True),
    ],
)
def test_an_operation_without_a_body_takes_none(
    ask: Ask, describe: Describe, sent: dict[str, Any], refused: bool
) -> None:
    """What is sent and not described is refused; where nothing says that anything was sent, nothing was."""
    found = ask(describe(method="delete"), "/a", "DELETE", **sent)

    assert found == ("the operation takes no body" if refused else None)


def test_another_media_type_is_415(describe: Describe, to: Callable[..., Any]) -> None:
    """The reason is the one of HTTP."""
    api = compile_api(taking(describe, "{application/json: {}}"), dict[str, object]().__getitem__)
    request = to("/a", "POST", body=b"x", headers={"content-type": "text/plain"})
    call = api.find(request)

    assert call is not None
    found = call.objection(Body(request))
    assert found is not None
    assert (found.reason, found.status) == (Reason.UNSUPPORTED_MEDIA_TYPE, 415)


@pytest.mark.parametrize(
    "name", ["multipart/form-data", "application/xml", "application/octet-stream", "*/*", "application/*"]
)
def test_what_cannot_be_checked_is_a_flaw_unless_it_is_said_to_be(
    ask: Ask, flaws: Flaws, describe: Describe, name: str
) -> None:
    """B10: a schema that nobody holds bodies against is a gap that looks like a wall; whoever wants it says so."""
    document = taking(describe, f"{{{name}: {{schema: {SKU}}}}}".replace("*/*:", "'*/*':"))

    assert flaws(document) == [
        (f"paths//a/post/requestBody/content/{name}", f'bodies of the type "{name}" cannot be checked here')
    ]
    sent = {"body": b"x", "headers": {"content-type": name.replace("*", "x")}}
    assert ask(document, "/a", "POST", unchecked=frozenset({name}), **sent) is None
