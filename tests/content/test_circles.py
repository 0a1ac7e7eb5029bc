"""Tests of schemas that lead to themselves."""

from __future__ import annotations

from typing import Any

import pytest

from authz.content.circles import circle
from authz.content.schema import SchemaError, compiled

CIRCLES: list[dict[str, Any]] = [
    {"$ref": "#"},
    {"$ref": ""},
    {"$ref": "json-schema:///"},
    {"$dynamicRef": "#"},
    {"$anchor": "a", "$ref": "#a"},
    {"$dynamicAnchor": "a", "$dynamicRef": "#a"},
    {"$id": "https://example.com/a", "$ref": "https://example.com/a"},
    {"$id": "json-schema:///a", "$ref": "a"},
    {"$defs": {"a b": {"$ref": "#/$defs/a%20b"}}, "$ref": "#/$defs/a%20b"},
    {"$defs": {"a": {"$id": "n.json", "$ref": "#"}}, "$ref": "n.json"},
    {"allOf": [{"not": {"$ref": "#/allOf/0"}}]},
    {"properties": {"a": {"if": {"dependentSchemas": {"b": {"$ref": "#/properties/a"}}}}}},
]


@pytest.mark.parametrize("schema", CIRCLES)
def test_a_circle_is_found_however_its_references_are_written(schema: dict[str, Any]) -> None:
    """L5: an engine that is led round takes everything for sound; that would open what the schema was to close."""
    with pytest.raises(SchemaError, match="refers to itself in a circle"):
        compiled(schema)


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ({"a.json": b'{"$ref": "b.json"}', "b.json": b'{"$ref": "a.json"}'}, '"" of a.json'),
        ({"a.json": b'{"properties": {"x": {"$ref": "#/properties/x"}}}'}, '"/properties/x" of a.json'),
        (
            {"a.json": b'{"$ref": "in/b.json#/$defs/c"}', "in/b.json": b'{"$defs": {"c": {"$ref": "../a.json"}}}'},
            "json",
        ),
        ({"a.json": b'{"$ref": "json-schema:///a.json#/allOf/0", "allOf": [{"$ref": "a.json"}]}'}, "a.json"),
    ],
)
def test_a_circle_through_other_files_is_one_too(files: dict[str, bytes], place: str) -> None:
    """L5: the files that a schema refers to are looked through with it, and the file is named."""
    with pytest.raises(SchemaError, match="refers to itself in a circle") as caught:
        compiled({"$ref": "a.json"}, files.__getitem__)
    assert place in str(caught.value)


def test_a_schema_that_goes_down_a_level_turns_in_no_circle() -> None:
    """Lists of lists, trees and grammars refer to themselves, and say something of each level; also across files."""
    tree = b'{"type": "object", "additionalProperties": {"$ref": "a.json"}}'
    assert compiled({"$ref": "a.json"}, {"a.json": tree}.__getitem__).unmet({"a": {"b": 1}})
    assert circle({"$defs": {"a": {"items": {"$ref": "#/$defs/a"}}}, "$ref": "#/$defs/a"}) is None
    assert circle({"$defs": {"a": {"type": "string"}}, "allOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/a"}]}) is None
    assert circle({"$ref": "elsewhere.json"}) is None


def test_a_word_that_is_nearly_a_keyword_is_found_in_other_files() -> None:
    """A word that was to bind and binds nothing is a fault wherever the schema is written."""
    with pytest.raises(SchemaError, match=r'"/minLenght" of a.json \(did you mean "minLength"\?\)'):
        compiled({"$ref": "a.json"}, {"a.json": b'{"minLenght": 1}'}.__getitem__)
