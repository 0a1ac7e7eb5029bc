"""Tests of a whole document, compiled."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from authz.content.openapi import ApiError, compile_api

Ask = Callable[..., list[str] | str | None]
Flaws = Callable[..., list[tuple[str, str]]]
Describe = Callable[..., dict[str, Any]]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["#/paths", "query", "integer"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["$ref", "type", "items", "name", "in", "allOf", "schema", "enum"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)
WHOLE: dict[str, Any] = {
    "openapi": "3.0.0",
    "info": {"title": "A"},
    "servers": [{"url": "/{v}", "variables": {"v": {"default": "v1", "enum": ["v1"]}}}],
    "security": [{"k": ["a"]}],
    "paths": {
        "/a/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
            "post": {
                "tags": ["t"],
                "parameters": [
                    {"name": "o", "in": "query", "style": "deepObject", "schema": {"$ref": "#/components/schemas/O"}}
                ],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/O"}}}},
            },
        }
    },
    "components": {
        "schemas": {
            "O": {
                "type": "object",
                "required": ["a"],
                "properties": {
                    "a": {"enum": [1], "format": "int32", "nullable": True},
                    "o": {"$ref": "#/components/schemas/O"},
                },
                "discriminator": {"propertyName": "a", "mapping": {"x": "O"}},
                "oneOf": [{"minimum": 1, "exclusiveMinimum": True}],
            }
        },
        "securitySchemes": {"k": {"type": "apiKey", "in": "query", "name": "k"}},
    },
}


def nothing(_file: str) -> object:
    """Find no file."""
    raise LookupError("the file is not there")


def test_an_operation_is_found_by_method_and_path(describe: Describe, ask: Ask) -> None:
    """Under the path of its server, with its method and no other; methods and paths have case."""
    document = describe(servers="[{url: https://api.example.com/v1}, {url: /v2}]")

    assert [ask(document, url) for url in ("/v1/a", "/v2/a", "/v1/a/", "/a", "/v3/a", "/v1/A", "/v1/a/b")] == [
        None, None, None, *["undocumented"] * 4,
    ]  # fmt: skip
    assert [ask(document, "/v1/a", method) for method in ("POST", "HEAD", "get")] == ["undocumented"] * 3


def test_methods_of_a_path_can_live_on_servers_of_their_own(describe: Describe, ask: Ask) -> None:
    """An operation is only where its own servers are."""
    document = describe("{servers: [{url: /read}]}")
    document["paths"]["/a"]["post"] = {"servers": [{"url": "/write"}]}

    assert [ask(document, f"/{base}/a", method) for base in ("read", "write") for method in ("GET", "POST")] == [
        None, "undocumented", "undocumented", None,
    ]  # fmt: skip


def test_two_paths_that_are_one_are_a_flaw(describe: Describe, flaws: Flaws) -> None:
    """Which of them a request means cannot be told."""
    document = describe()
    one = {"get": {"parameters": [{"name": "x", "in": "path", "required": True, "schema": {}}]}}
    other = {"get": {"parameters": [{"name": "y", "in": "path", "required": True, "schema": {}}]}}
    document["paths"] |= {"/a/{x}": one, "/a/{y}": other}

    assert flaws(document) == [("paths//a/{y}/get", "another path is the same but for the names of its parameters")]


def test_everything_that_is_wrong_is_told_at_once(describe: Describe, flaws: Flaws) -> None:
    """A document with faults in a schema, a parameter and a key has three flaws."""
    document = describe("{parameters: [{name: n, in: nowhere}, {name: m, in: query, schema: {typ: a}}], sumary: x}")

    assert len(flaws(document)) == 3


def test_it_is_known_which_headers_are_looked_at(describe: Describe) -> None:
    """Envoy has to send them."""
    document = describe(
        "{parameters: [{name: X-N, in: header, schema: {}}, {name: c, in: cookie, schema: {}}]}",
        components="{securitySchemes: {k: {type: apiKey, in: header, name: X-Key}, t: {type: http, scheme: bearer}}}",
    )

    assert compile_api(document, nothing).headers == {"authorization", "content-type", "cookie", "x-key", "x-n"}


def test_a_description_is_compiled_before_requests_come(describe: Describe, ask: Ask) -> None:
    """References and recursion are resolved at load: a document of many operations answers from what it has."""
    parts = {
        f"S{n}": {"properties": {"next": {"$ref": f"#/components/schemas/S{(n + 1) % 50}"}, "n": {"const": n}}}
        for n in range(50)
    }
    document = describe()
    document["components"] = {"schemas": parts}
    document["paths"] = {
        f"/a{n}": {
            "post": {
                "requestBody": {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/S{n}"}}}}
            }
        }
        for n in range(50)
    }

    assert ask(document, "/a49", "POST", json={"n": 49, "next": {"n": 0}}) is None
    assert ask(document, "/a49", "POST", json={"next": {"next": {"n": 49}}}) == ["body /next/next/n const"]


@given(data=st.data())
def test_whatever_is_in_a_document_it_is_an_api_or_has_flaws(data: st.DataObject) -> None:
    """A document is somebody else's text: nothing in it raises anything but what is told with its place."""
    document = copy.deepcopy(WHOLE)
    place: Any = document
    for _ in range(data.draw(st.integers(0, 8))):
        keys = list(place) if isinstance(place, dict) else range(len(place))
        key = data.draw(st.sampled_from(list(keys)))
        if not isinstance(place[key], dict | list) or not place[key]:
            break
        place = place[key]
    key = data.draw(st.sampled_from(list(place) if isinstance(place, dict) else list(range(len(place)))))
    place[key] = data.draw(JSON)
    with contextlib.suppress(ApiError):
        compile_api(document, nothing)
