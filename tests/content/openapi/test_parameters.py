"""Tests of parameters: found, turned into values, held against their schemas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Ask = Callable[..., list[str] | str | None]
Flaws = Callable[..., list[tuple[str, str]]]
Describe = Callable[..., dict[str, Any]]

LIST = "schema: {type: array, items: {type: integer}}"
STATES = (
    "{type: object, properties: {state: {enum: [open]}, n: {type: integer}, tags: {type: array, items: "
    "{type: integer}}}, additionalProperties: false}"
)
DEEP = f"name: n, in: query, style: deepObject, explode: true, schema: {STATES}"
OPEN = "name: n, in: query, style: deepObject, explode: true, schema: {type: object, properties: {n: {type: integer}}}"
JSON = "name: n, in: query, content: {application/json: {schema: {type: object, required: [a]}}}"


@pytest.mark.parametrize(
    ("parameter", "query", "expected"),
    [
        ("name: n, in: query, schema: {type: integer, maximum: 9}", "n=5", None),
        ("name: n, in: query, schema: {type: integer, maximum: 9}", "", None),
        ("name: n, in: query, schema: {type: integer, maximum: 9}", "n=10", ["query /n maximum"]),
        ("name: n, in: query, schema: {type: integer, maximum: 9}", "n=", ["query /n type"]),
        ("name: n, in: query, schema: {type: integer}, allowEmptyValue: true", "n=", None),
        ("name: n, in: query, schema: {type: integer}", "n=1&n=2", ["query /n repeated"]),
        ("name: n, in: query, schema: {type: string}", "n=1&n=2", ["query /n repeated"]),
        ("name: n, in: query, required: true, schema: {}", "", ["query /n required"]),
        ("name: n, in: query, schema: {}", "N=1", ["query /N additionalProperties"]),
        (f"name: n, in: query, {LIST}", "n=1&n=2", None),
        (f"name: n, in: query, {LIST}", "n=1,2", ["query /n/0 type"]),
        (f"name: n, in: query, {LIST}, explode: false", "n=1,2", None),
        (f"name: n, in: query, {LIST}, explode: false", "n=1,x", ["query /n/1 type"]),
        (f"name: n, in: query, {LIST}, explode: false", "n=1&n=2", ["query /n repeated"]),
        ("name: n, in: query, schema: {type: array, maxItems: 0}, explode: false", "n=", None),
        (f"name: n, in: query, style: spaceDelimited, {LIST}", "n=1%202", None),
        (f"name: n, in: query, style: pipeDelimited, {LIST}", "n=1|x", ["query /n/1 type"]),
        (DEEP, "n[state]=open&n[n]=1", None),
        (DEEP, "n[state]=shut", ["query /n/state enum"]),
        (DEEP, "n[x]=1", ["query /n additionalProperties"]),
        (DEEP, "n[n]=1&n[n]=2", ["query /n repeated"]),
        (DEEP, "n[tags]=1&n[tags]=x", ["query /n/tags/1 type"]),
        (DEEP + ", required: true", "", ["query /n required"]),
        (OPEN, "n[n]=1&n[x]=1", None),
        (OPEN, "n[n][]=x", ["query /n style"]),
        (OPEN, "n[n][a]=1", ["query /n style"]),
        (OPEN, "n[]n]=1", ["query /n style"]),
        (f"name: n, in: query, explode: false, schema: {STATES}", "n=state,open,n,1", None),
        (f"name: n, in: query, explode: false, schema: {STATES}", "n=state,open,n", ["query /n style"]),
        (f"name: n, in: query, schema: {STATES}", "state=open&n=1", None),
        (f"name: n, in: query, schema: {STATES}", "state=shut", ["query /state enum"]),
        (f"name: n, in: query, schema: {STATES}", "x=1", ["query  additionalProperties"]),
        ("name: n, in: query, schema: {type: object, additionalProperties: {type: string}}", "x=1&y=2", None),
        (JSON, 'n={"a":1}', None),
        (JSON, "n={}", ["query /n/a required"]),
        (JSON, 'n={"a":1,"a":2}', ["query /n contentMediaType"]),
    ],
)  # fmt: skip
def test_a_parameter_in_the_query(ask: Ask, describe: Describe, parameter: str, query: str, expected: object) -> None:
    """Each style is read as OpenAPI says, what is repeated or undescribed is refused, and nothing is guessed.

    P10: `n[n][]` is a list under `n` to many servers, and would pass as a member that nobody describes.
    """
    assert ask(describe(f"{{parameters: [{{{parameter}}}]}}"), f"/a?{query}") == expected


@pytest.mark.parametrize(
    ("parameter", "headers", "expected"),
    [
        ("name: X-N, in: header, schema: {type: integer}", {"x-n": "1"}, None),
        ("name: X-N, in: header, schema: {type: integer}", {"x-n": "a"}, ["headers /x-n type"]),
        ("name: X-N, in: header, required: true, schema: {}", {}, ["headers /x-n required"]),
        (f"name: X-N, in: header, {LIST}", {"x-n": "1, 2"}, None),
        (f"name: X-N, in: header, {LIST}", {"x-n": "1,x"}, ["headers /x-n/1 type"]),
        (f"name: X-N, in: header, schema: {STATES}", {"x-n": "state,open"}, None),
        (f"name: X-N, in: header, explode: true, schema: {STATES}", {"x-n": "state=shut,n=1"},
         ["headers /x-n/state enum"]),
        ("name: Authorization, in: header, required: true, schema: {}", {}, None),
        ("name: sid, in: cookie, required: true, schema: {type: integer}", {"cookie": "a=b; sid=7"}, None),
        ("name: sid, in: cookie, required: true, schema: {type: integer}", {"cookie": "a=b"},
         ["cookies /sid required"]),
        ("name: sid, in: cookie, schema: {type: integer}", {"cookie": "sid=7; sid=8"}, ["cookies /sid repeated"]),
        ("name: sid, in: cookie, schema: {type: integer}", {"cookie": "a=b,sid=x"}, ["cookies /sid type"]),
        ("name: sid, in: cookie, schema: {type: string}", {"cookie": "sid=7,a=b"}, ["cookies /sid repeated"]),
        ("name: sid, in: cookie, schema: {type: string, pattern: '^a,b$'}", {"cookie": "sid=a,b"}, None),
    ],
)  # fmt: skip
def test_a_parameter_in_headers_and_cookies(
    ask: Ask, describe: Describe, parameter: str, headers: dict[str, str], expected: object
) -> None:
    """Names of headers have no case, lists have commas; what else a client sends along is its own affair."""
    assert ask(describe(f"{{parameters: [{{{parameter}}}]}}"), "/a", headers=headers) == expected


@pytest.mark.parametrize(
    ("schema", "path", "expected"),
    [
        ("{type: integer}", "/a/7", None),
        ("{type: integer}", "/a/7/", None),
        ("{type: integer}", "/a/x", ["params /id type"]),
        ("{type: array, items: {type: integer}}", "/a/1,2", None),
        ("{type: array, items: {type: integer}}", "/a/1,x", ["params /id/1 type"]),
        ("{const: a b}", "/a/a%20b", None),
        ("{type: string, format: uuid}", "/a/7", ["params /id format"]),
    ],
)
def test_a_parameter_in_the_path(ask: Ask, describe: Describe, schema: str, path: str, expected: object) -> None:
    """A segment is decoded once and is what its schema says."""
    operation = f"{{parameters: [{{name: id, in: path, required: true, schema: {schema}}}]}}"
    assert ask(describe(operation, path="/a/{id}"), path) == expected


def test_a_header_that_is_no_text_is_refused(ask: Ask, describe: Describe) -> None:
    """Bytes that are no UTF-8 under a name that is described are not taken for an absent header."""
    document = describe("{parameters: [{name: X-N, in: header, schema: {}}]}")

    assert ask(document, "/a", invalid_headers=frozenset({"x-n"})) == ["headers /x-n encoding"]
    assert ask(document, "/a", invalid_headers=frozenset({"x-other"})) is None


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ("name: n, in: body, schema: {}", 'a parameter is in "query"'),
        ("name: n, in: query", 'a parameter has a "schema"'),
        ("in: query, schema: {}", '"name" is missing'),
        ("name: n, in: query, schema: {}, content: {application/json: {}}", "not both"),
        ("name: n, in: query, content: {text/plain: {}}", "is read as JSON"),
        ("name: n, in: query, content: {}", 'a parameter has a "schema"'),
        ("name: n, in: header, style: form, schema: {}", 'the style "form" is not read in a header'),
        ("name: n, in: query, schema: {}, requird: true", 'unknown key "requird"'),
        ("name: n, in: query, schema: {}, required: 'yes'", '"required" is true or false'),
        ("name: n, in: path, required: true, schema: {}", 'the path has no parameter "n"'),
    ],
)
def test_a_parameter_that_cannot_be_checked_is_a_flaw(
    flaws: Flaws, describe: Describe, parameter: str, message: str
) -> None:
    """A style that is not read, a key that nobody knows, and a parameter without a schema are told at load."""
    found = flaws(describe(f"{{parameters: [{{{parameter}}}]}}"))

    assert any(message in flaw for _, flaw in found)


@pytest.mark.parametrize("style", ["matrix", "label"])
def test_styles_that_read_two_ways_are_flaws(flaws: Flaws, describe: Describe, style: str) -> None:
    """A path with `;` is cut by some servers and not by others."""
    operation = f"{{parameters: [{{name: id, in: path, required: true, style: {style}, schema: {{}}}}]}}"

    assert flaws(describe(operation, path="/a/{id}")) == [
        ("paths//a/{id}/get/parameters/0", f'the style "{style}" is not read in a path')
    ]
