"""Tests of texts as the values a schema speaks of."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.content import SchemaValidators
from authz.content.schema import SchemaError
from authz.content.texts import Kind, kind, value

ALL = frozenset({"integer", "number", "boolean", "string"})


@pytest.mark.parametrize(
    ("text", "types", "expected"),
    [
        ("1", {"integer"}, 1), ("-0", {"integer"}, 0), ("01", {"integer"}, "01"), ("+1", {"integer"}, "+1"),
        ("1.0", {"integer"}, "1.0"), ("1_0", {"integer"}, "1_0"), ("\u0663", {"integer"}, "\u0663"),
        ("1 ", {"integer"}, "1 "),
        ("9223372036854775807", {"integer"}, 2**63 - 1), ("9223372036854775808", {"integer"}, "9223372036854775808"),
        ("1", {"number"}, 1.0), ("1e2", {"number"}, 100.0), ("1e999", {"number"}, "1e999"), ("NaN", {"number"}, "NaN"),
        ("Infinity", {"number"}, "Infinity"), ("1.", {"number"}, "1."), (".5", {"number"}, ".5"), ("", {"number"}, ""),
        ("true", {"boolean"}, True), ("True", {"boolean"}, "True"), ("1", {"boolean"}, "1"), ("1", {"string"}, "1"),
        ("1", {"integer", "string"}, 1), ("007", {"integer", "string"}, "007"), ("true", set(), "true"),
    ],
)  # fmt: skip
def test_a_text_is_what_json_would_write(text: str, types: set[str], expected: object) -> None:
    """B6: a text becomes a number or a truth in the one way JSON writes it; anything else stays a text."""
    found = value(text, frozenset(types))

    assert found == expected
    assert type(found) is type(expected)


@given(st.text())
def test_no_text_is_too_odd(text: str) -> None:
    """Whatever a client sends becomes a value that JSON can hold, and no error."""
    assert isinstance(value(text, ALL), str | int | float | bool)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "integer"}, {"integer"}),
        ({"type": ["integer", "null"]}, {"integer", "null"}),
        ({"enum": [1, "a", True, 1.5, None]}, {"integer", "string", "boolean", "number"}),
        ({"const": 1}, {"integer"}),
        ({"anyOf": [{"type": "number"}, {"oneOf": [{"const": "x"}]}]}, {"number", "string"}),
        ({"allOf": [{"$ref": "#/$defs/a"}]}, {"integer"}),
        (True, set()), ({}, set()), ({"$ref": "#/$defs/loop"}, set()),
    ],
)  # fmt: skip
def test_what_a_schema_lets_a_text_be(schema: object, expected: set[str]) -> None:
    """Types are found in what a schema says itself, in its constants, behind references and among alternatives."""
    root = {"$defs": {"a": {"type": "integer"}, "loop": {"$ref": "#/$defs/loop"}, "a/b": {"type": "boolean"}}}

    assert kind(schema, root).types == expected
    assert kind({"$ref": "#/$defs/a~1b"}, root) == Kind(types=frozenset({"boolean"}))


def test_the_properties_may_stand_behind_references() -> None:
    """An object schema is found in all parts that it is made of."""
    schema = {"$ref": "#/$defs/a", "$defs": {"a": {"allOf": [{"properties": {"n": {"type": "integer"}}}]}}}
    validator = SchemaValidators().compile_texts(schema, "query")

    assert validator.names == {"n"}
    assert validator.unmet({"n": ["1"], "other": ["x", "y"]}) == ()


def test_a_type_in_another_file_cannot_be_told() -> None:
    """What a text may be stands in the schema itself; otherwise loading says so, and nothing is guessed."""
    files: dict[str, Any] = {"a.json": b'{"type":"integer"}'}

    with pytest.raises(SchemaError, match=r"a\.json: write it here"):
        SchemaValidators().compile_texts({"properties": {"n": {"$ref": "a.json"}}}, "query", files.__getitem__)
