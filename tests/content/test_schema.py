"""Tests of JSON Schema as policies use it."""

from __future__ import annotations

import socket
import threading

import pytest

from authz.content import SchemaValidators
from authz.content.schema import MAX_FAULTS, SchemaError, Validator

ORDER = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["sku"],
    "properties": {"sku": {"type": "string", "pattern": "^[a-z]+$"}, "mail": {"format": "email"}},
    "additionalProperties": False,
}


def places(validator: Validator, value: object) -> tuple[str, ...]:
    """Return where a value does not meet a schema."""
    return tuple(each.pointer for each in validator.unmet(value))


def test_a_value_that_meets_its_schema_has_no_faults() -> None:
    """A body that meets the schema has nothing to tell."""
    validator = SchemaValidators().compile(ORDER)

    assert places(validator, {"sku": "a", "mail": "a@example.com"}) == ()
    assert validator.unmet({"sku": "a"}) == ()


def test_faults_are_pointers_without_values() -> None:
    """O2: what is wrong is told by place and keyword; values of the body stay out of it."""
    validator = SchemaValidators().compile(ORDER)

    assert places(validator, {"sku": "S3CRET", "mail": "s3cret"}) == ("/mail", "/sku")
    assert places(validator, {"s3cret": 1}) == ("", "/sku")
    assert validator.unmet({"sku": "S3CRET"})[0].told == 'body "/sku" does not meet "pattern"'
    assert validator.unmet({})[0].told == 'body "/sku" does not meet "required"'


def test_the_number_of_faults_is_bounded() -> None:
    """A body with ten thousand faults tells the first few."""
    validator = SchemaValidators().compile({"items": {"type": "string"}})

    assert len(validator.unmet(list(range(10_000)))) == MAX_FAULTS


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "objekt"},
        {"properties": {"a": {"minimum": "1"}}},
        {"format": "emial"},
        {"pattern": "("},
        {"pattern": "(?=a)b"},
        {"pattern": "a{1000}{1000}"},
        {"$ref": "#/$defs/nowhere"},
        {"$schema": "http://json-schema.org/draft-07/schema#"},
        [],
        "order.schema.json",
        None,
    ],
)
def test_a_schema_that_cannot_be_compiled_is_an_error_at_load(schema: object) -> None:
    """L5: unknown types, formats, dialects, patterns without linear time and dangling references are found at load."""
    with pytest.raises(SchemaError):
        SchemaValidators().compile(schema)


def test_true_and_false_are_schemas() -> None:
    """The two shortest schemas admit everything and nothing."""
    assert places(SchemaValidators().compile(True), 1) == ()
    assert places(SchemaValidators().compile(False), 1) == ("",)


def test_references_lead_to_the_given_files_only() -> None:
    """A reference is a file beside the schema, also from a file in a folder; names that are not given are faults."""
    given = {"parts/a.json": b'{"$ref":"b.json#/$defs/b"}', "parts/b.json": b'{"$defs":{"b":{"type":"string"}}}'}
    validator = SchemaValidators().compile({"items": {"$ref": "parts/a.json"}}, given.__getitem__)

    assert places(validator, ["a", 1]) == ("/1",)
    with pytest.raises(SchemaError, match=r"missing\.json"):
        SchemaValidators().compile({"$ref": "missing.json"}, given.__getitem__)
    with pytest.raises(SchemaError, match=r"parts/a\.json"):
        SchemaValidators().compile({"$ref": "parts/a.json"})


def test_a_referred_file_is_read_strictly() -> None:
    """B5: a schema with a key given twice has no meaning, wherever it stands."""
    with pytest.raises(SchemaError):
        SchemaValidators().compile({"$ref": "a.json"}, lambda _: b'{"type":"string","type":"integer"}')


def test_nothing_is_fetched() -> None:
    """A reference to a URL or to the disk is a fault, and no connection is made for it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        port = listener.getsockname()[1]
        for reference in (f"http://127.0.0.1:{port}/a.json", "file:///etc/hostname", "https://example.invalid/a.json"):
            with pytest.raises(SchemaError):
                SchemaValidators().compile({"$ref": reference})
            with pytest.raises(SchemaError):
                SchemaValidators().compile({"$ref": reference}, lambda _: b"true")
        with pytest.raises(TimeoutError):
            listener.accept()


def test_a_pattern_takes_linear_time() -> None:
    """C9: a pattern that explodes elsewhere answers at once; the bound is generous, the explosion is not."""
    validator = SchemaValidators().compile({"pattern": "^(a+)+$"})
    done = threading.Event()

    def validate() -> None:
        assert places(validator, "a" * 50_000 + "!") == ("",)
        done.set()

    threading.Thread(target=validate, daemon=True).start()
    assert done.wait(10)


def test_recursive_schemas_end() -> None:
    """A schema that refers to itself validates values as deep as bodies can be."""
    validator = SchemaValidators().compile(
        {"$defs": {"a": {"items": {"$ref": "#/$defs/a"}, "type": "array"}}, "$ref": "#/$defs/a"}
    )
    value: list[object] = [1]
    for _ in range(62):
        value = [value]

    assert places(validator, value) == ("/0" * 63,)
