"""Tests of one request, held against its operation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.content import Body
from authz.content.openapi import compile_api
from authz.model import BodyState, Peer, Reason, Request

Ask = Callable[..., list[str] | str | None]
Describe = Callable[..., dict[str, Any]]

ANYTHING = compile_api(
    {
        "openapi": "3.1.0",
        "paths": {
            "/a/{id}": {
                "post": {
                    "parameters": [
                        {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}},
                        {
                            "name": "o",
                            "in": "query",
                            "style": "deepObject",
                            "explode": True,
                            "schema": {"type": "object"},
                        },
                        {"name": "l", "in": "query", "explode": False, "schema": {"type": "array"}},
                        {"name": "m", "in": "query", "schema": {"type": "object"}},
                        {"name": "j", "in": "query", "content": {"application/json": {"schema": {"type": "object"}}}},
                        {"name": "c", "in": "cookie", "schema": {"type": "number"}},
                    ],
                    "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}},
                }
            }
        },
    },
    dict[str, object]().__getitem__,
)


def test_everything_that_is_wrong_with_parameters_is_told_together(ask: Ask, describe: Describe) -> None:
    """A caller mends a request once."""
    document = describe(
        "{parameters: [{name: n, in: query, required: true, schema: {}}, "
        "{name: X-N, in: header, schema: {type: integer}}]}"
    )

    assert ask(document, "/a", headers={"x-n": "x"}) == ["query /n required", "headers /x-n type"]


@pytest.mark.parametrize("query", ["n=%zz", "n=%ff", "&" * 1001])
def test_a_query_that_cannot_be_read_fits_nothing(ask: Ask, describe: Describe, query: str) -> None:
    """What has no one reading has no parameters either."""
    assert isinstance(ask(describe("{parameters: [{name: n, in: query, schema: {}}]}"), f"/a?{query}"), str)


@pytest.mark.parametrize(("place", "name", "header"), [("cookie", "c", "cookie"), ("header", "X-N", "x-n")])
def test_a_parameter_in_a_header_that_cannot_be_read_is_not_one_that_is_absent(
    ask: Ask, describe: Describe, place: str, name: str, header: str
) -> None:
    """P6: bytes that are no UTF-8 make a header unreadable to us and not to the upstream: an optional one, too."""
    document = describe(f"{{parameters: [{{name: {name}, in: {place}, schema: {{type: integer}}}}]}}")
    assert ask(document, "/a") is None
    assert ask(document, "/a", invalid_headers=frozenset({header})) == [f"headers /{header} encoding"]


@given(
    path=st.text("/a1%;", max_size=8),
    query=st.text("olmj=&[]{}\"',1%+", max_size=40),
    cookie=st.text('c=;1 "', max_size=20),
    body=st.binary(max_size=20),
    state=st.sampled_from(BodyState),
)
def test_whatever_is_sent_is_answered(path: str, query: str, cookie: str, body: bytes, state: BodyState) -> None:
    """I1: no text and no bytes raise; a request fits, or there is an objection."""
    request = Request(
        id="1", method="POST", scheme="https", host="a", port=443, path=f"/a/{path}".replace("%", ""), query=query,
        protocol="HTTP/2", time=0.0, headers={"cookie": cookie, "content-type": "application/json"}, body=body,
        body_state=state, source=Peer(), destination=Peer(),
    )  # fmt: skip
    call = ANYTHING.find(request)

    found = None if call is None else call.objection(Body(request))
    assert found is None or found.reason in {Reason.INVALID_BODY, Reason.UNSUPPORTED_MEDIA_TYPE}
