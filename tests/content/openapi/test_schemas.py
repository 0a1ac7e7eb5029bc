"""Tests of the schemas of OpenAPI as JSON Schema."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from authz.content.openapi.document import Document
from authz.content.openapi.schemas import Schemas

Made = Callable[..., tuple[tuple[str, ...], list[str]]]


def nothing(_file: str) -> object:
    """Find no file."""
    raise LookupError("the file is not there")


def hold(schema: Any, value: object, version: str = "3.0", **components: Any) -> tuple[str, ...]:
    """Return what is wrong with a value, by pointer and keyword."""
    root = {"schema": schema, "components": {"schemas": components}}
    schemas = Schemas(version)
    document = Document(root, nothing)
    node = document.root.get("schema")
    assert node is not None
    name = schemas.use(node)
    validators = schemas.validators()
    assert not document.flaws, document.flaws
    return tuple(f"{each.pointer} {each.keyword}" for each in validators[name].unmet(value))


def flaws(schema: Any, version: str = "3.0", **components: Any) -> list[tuple[str, str]]:
    """Return what is wrong with a schema, by path and message."""
    document = Document({"schema": schema, "components": {"schemas": components}}, nothing)
    schemas = Schemas(version)
    node = document.root.get("schema")
    assert node is not None
    schemas.use(node)
    schemas.validators()
    return [("/".join(map(str, flaw.path)), flaw.message) for flaw in document.flaws]


@pytest.mark.parametrize(
    ("schema", "good", "bad", "keyword"),
    [
        ({"type": "string", "nullable": True}, None, 1, " type"),
        ({"type": "string"}, "a", None, " type"),
        ({"type": "string", "nullable": True, "enum": ["a", None]}, None, "b", " enum"),
        ({"minimum": 1, "exclusiveMinimum": True}, 2, 1, " exclusiveMinimum"),
        ({"minimum": 1, "exclusiveMinimum": False}, 1, 0, " minimum"),
        ({"maximum": 1, "exclusiveMaximum": True}, 0, 1, " exclusiveMaximum"),
        ({"exclusiveMaximum": True}, 1, None, None),
        ({"type": "integer", "format": "int32"}, 2**31 - 1, 2**31, " maximum"),
        ({"type": "integer", "format": "uint8"}, 255, -1, " minimum"),
        ({"type": "string", "format": "byte"}, "YQ==", "a b", " pattern"),
        ({"type": "string", "format": "date-time"}, "2026-11-23T12:00:00Z", "2026-11-23", " format"),
        ({"type": "string", "format": "uuid"}, "7f0c1a2b-34c5-4d8e-9f00-112233445566", "7", " format"),
        ({"type": "string", "format": "password"}, "x", 1, " type"),
        ({"type": "string", "example": {"type": "integer"}, "x-type": "integer", "xml": {}}, "a", 1, " type"),
    ],
)  # fmt: skip
def test_the_dialect_of_3_0_binds_as_it_is_meant(schema: Any, good: object, bad: object, keyword: str | None) -> None:
    """`nullable`, exclusive bounds and numeric formats bind; examples and extensions do not."""
    assert hold(schema, good) == ()
    assert hold(schema, bad) == ((keyword,) if keyword else ())


def test_in_3_1_schemas_are_json_schema() -> None:
    """Types may be lists, bounds are numbers, `const` and `if` bind, and what stands beside a reference does too."""
    assert hold({"type": ["string", "null"]}, None, "3.1") == ()
    assert hold({"exclusiveMinimum": 1}, 1, "3.1") == (" exclusiveMinimum",)
    assert hold({"if": {"const": 1}, "then": False}, 1, "3.1") == (" false",)
    beside = {"$ref": "#/components/schemas/A", "maxLength": 1}
    assert hold(beside, "ab", "3.1", A={"type": "string"}) == (" maxLength",)
    assert hold(beside, "ab", "3.0", A={"type": "string"}) == ()


def test_references_may_lead_back_a_level_deeper() -> None:
    """A tree of orders is checked down to its leaves."""
    tree = {"type": "object", "properties": {"parts": {"items": {"$ref": "#/components/schemas/A"}}}}

    assert hold({"$ref": "#/components/schemas/A"}, {"parts": [{"parts": [1]}]}, A=tree) == ("/parts/0/parts/0 type",)


def test_what_is_read_only_may_not_be_sent() -> None:
    """A property of answers is not required of a request, and refused in one: nobody sets their own id or role."""
    schema = {
        "required": ["id", "role", "name"],
        "properties": {
            "id": {"type": "string", "readOnly": True},
            "role": {"$ref": "#/components/schemas/Role"},
            "name": {},
        },
    }
    role = {"type": "string", "readOnly": True}

    assert hold(schema, {"name": "a"}, Role=role) == ()
    assert hold(schema, {"name": "a", "role": "admin"}, Role=role) == ("/role false",)


def test_a_discriminator_beside_alternatives_only_names_them() -> None:
    """The alternatives bind by themselves; names in its mapping have to lead somewhere."""
    schema = {
        "oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}],
        "discriminator": {"propertyName": "kind", "mapping": {"cat": "Cat", "dog": "#/components/schemas/Dog"}},
    }
    pets: dict[str, Any] = {
        name: {"required": ["kind"], "properties": {"kind": {"enum": [name]}}} for name in ("Cat", "Dog")
    }

    assert hold(schema, {"kind": "Cat"}, **pets) == ()
    assert hold(schema, {"kind": "Cow"}, **pets) == (" oneOf",)


@pytest.mark.parametrize("version", ["3.0", "3.1"])
@pytest.mark.parametrize(
    ("schema", "place", "message"),
    [
        ({"properties": {"a": {"minLenght": 1}}}, "schema/properties/a/minLenght", 'unknown word "minLenght"'),
        ({"properties": {"a": {"type": "intger"}}}, "schema/properties/a/type", "no JSON Schema"),
        ({"allOf": [{"required": "a"}]}, "schema/allOf/0/required", "no JSON Schema"),
        ({"items": [{}]}, "schema/items", "a schema is a mapping"),
        ({"pattern": "(?=a)"}, "schema/pattern", "no JSON Schema"),
        ({"format": "emial"}, "schema/format", 'the format "emial" is not known'),
        ({"$ref": "#/components/schemas/No"}, "schema", "it leads nowhere"),
        ({"$ref": "https://example.com/a.json"}, "schema", "only files in the folder"),
        ({"$id": "https://example.com/a"}, "schema/$id", "is not followed here"),
        ({"discriminator": {"propertyName": "a"}}, "schema/discriminator", "without oneOf or anyOf"),
        ({"oneOf": [{}], "discriminator": {}}, "schema/discriminator", '"propertyName" is missing'),
        (
            {"oneOf": [{}], "discriminator": {"propertyName": "a", "mapping": {"b": "No"}}},
            "schema/discriminator/mapping/b", "it leads nowhere",
        ),
        ({"$ref": "#/components/schemas/Loop"}, "components/schemas/Loop", "refers to itself"),
        ({"$ref": "#/components/schemas/Deep"}, "", "more than 64 schemas"),
        ("a", "schema", "a schema is a mapping"),
    ],
)  # fmt: skip
def test_what_would_not_bind_is_a_flaw(version: str, schema: Any, place: str, message: str) -> None:
    """L5: misspelled words, unknown formats, dangling references and circles are told where they are written."""
    deep: Any = {"type": "string"}
    for _ in range(100):
        deep = {"items": deep}
    found = flaws(schema, version, Loop={"allOf": [{"$ref": "#/components/schemas/Loop"}]}, Deep=deep)

    assert len(found) == 1
    assert message in found[0][1]
    assert found[0][0].startswith(place)


@pytest.mark.parametrize(
    "schema", [{"exclusiveMinimum": 1}, {"type": ["string", "null"]}, {"const": 1}, {"if": {}}, {"prefixItems": [{}]}]
)
def test_words_of_3_1_are_flaws_in_3_0(schema: Any) -> None:
    """A word that the version does not have would bind for one reader and not for another."""
    assert len(flaws(schema, "3.0")) == 1
    assert flaws(schema, "3.1") == []
