"""Tests of the operations of a document."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from authz.content.openapi.operations import described

Flaws = Callable[..., list[tuple[str, str]]]
Describe = Callable[..., dict[str, Any]]


TWICE = {"name": "n", "in": "query", "schema": {}}


def nothing(_file: str) -> object:
    """Find no file."""
    raise LookupError("the file is not there")


def test_an_operation_is_what_is_written_and_what_its_path_says(describe: Describe) -> None:
    """Parameters of the path hold for every method, and an operation's own replace them."""
    document = describe(
        "{operationId: read, tags: [b, a], parameters: [{name: n, in: query, required: true, schema: {}}]}"
    )
    document["paths"]["/a"]["parameters"] = [
        {"name": "n", "in": "query", "schema": {}}, {"name": "X", "in": "header", "schema": {}},
    ]  # fmt: skip
    (operation,) = described(document, nothing).operations

    assert (operation.method, operation.template, operation.id, operation.tags) == ("GET", "/a", "read", ("b", "a"))
    assert [(each.name, each.required) for each in operation.parameters] == [("n", True), ("x", False)]


def test_a_path_may_be_in_another_file(describe: Describe) -> None:
    """A path item, its parameters and their schemas can each be behind a reference."""
    files: dict[str, object] = {
        "paths/a.yaml": {"get": {"parameters": [{"$ref": "../parts.yaml#/n"}]}},
        "parts.yaml": {"n": {"name": "n", "in": "query", "schema": {"$ref": "#/s"}}, "s": {"type": "integer"}},
    }
    document = describe()
    document["paths"] = {"/a": {"$ref": "paths/a.yaml"}}
    found = described(document, files.__getitem__)

    assert not found.document.flaws
    assert found.schemas.bundle == {"$defs": {"s0": {"$ref": "#/$defs/s1"}, "s1": {"type": "integer"}}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"openapi": "2.0"}, "only OpenAPI 3.0 and 3.1 are read"),
        ({"openapi": "3.2.0"}, "only OpenAPI 3.0 and 3.1 are read"),
        ({"swagger": "2.0"}, 'unknown key "swagger"'),
        ({"path": {}}, 'unknown key "path"'),
        ({"jsonSchemaDialect": "http://json-schema.org/draft-07/schema#"}, "another dialect"),
        ({"paths": []}, '"paths" is a mapping'),
        ({"paths": {"a": {}}}, 'no request has the path "a"'),
        ({"paths": {"/a": {"gett": {}}}}, 'unknown key "gett"'),
        ({"paths": {"/a": {"get": {"paramters": []}}}}, 'unknown key "paramters"'),
        ({"paths": {"/a/{id}": {"get": {}}}}, 'the parameter "id" of the path is not described'),
        ({"paths": {"/a": {"$ref": "#/nowhere"}}}, "it leads nowhere"),
        ({"paths": {"/a": {"get": {"requestBody": {"content": {}}}}}}, "a body has a media type"),
        ({"paths": {"/a": {"get": {"requestBody": {"contents": {}}}}}}, 'unknown key "contents"'),
        ({"paths": {"/a": {"get": {"parameters": [TWICE, TWICE]}}}}, "described twice"),
        ({"paths": {"/a/{x}": {}, "/a/{y}": {}}}, ""),
    ],
)  # fmt: skip
def test_what_does_not_belong_is_a_flaw(flaws: Flaws, describe: Describe, change: dict[str, Any], message: str) -> None:
    """Keys that nobody knows, versions that are not read, and paths that no request has are told together."""
    document = {**describe(), **change}
    if not message:
        assert not described(document, nothing).operations
    else:
        assert any(message in flaw for _, flaw in flaws(document))


def test_a_document_that_is_none_is_a_flaw(flaws: Flaws) -> None:
    """Whatever a file holds, it is told what it is not."""
    assert flaws([]) == [("", "an OpenAPI document is a mapping")]
    assert ("", "the document describes no paths") in flaws({"openapi": "3.1.0"})
