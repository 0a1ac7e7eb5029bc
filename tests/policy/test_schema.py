"""Tests of the JSON Schema of the policy language."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from authz.policy.documents import KINDS
from authz.policy.documents.grammar import plain
from authz.policy.schema import schema
from authz.policy.yaml import compose

EXAMPLES = sorted((Path(__file__).parent / "examples").glob("*.yaml"))
SCHEMA = schema()
TESTS = schema("PolicyTest")
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def documents() -> list[Any]:
    """Return every document of the examples, as an editor reads it."""
    return [plain(node) for path in EXAMPLES for node in compose(path.name, path.read_bytes()).documents]


def properties() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every key of every part with what the schemas of policies and of tests say of it."""
    for definitions in (SCHEMA["$defs"], TESTS["$defs"]):
        for part, definition in definitions.items():
            yield from keys(definition, part)


def keys(node: Any, place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the keys of a part, and of parts that are written into it."""
    if isinstance(node, list):
        for item in node:
            yield from keys(item, place)
    elif isinstance(node, dict):
        for key, told in node.get("properties", {}).items():
            yield f"{place}.{key}", told
        for key, inner in node.items():
            if key != "examples":
                yield from keys(inner, place)


def test_the_schema_is_one() -> None:
    """The schema is valid JSON Schema 2020-12, as a whole and per kind, and plain JSON."""
    for made in (SCHEMA, *map(schema, KINDS)):
        jsonschema.Draft202012Validator.check_schema(made)
        assert json.loads(json.dumps(made)) == made


@pytest.mark.parametrize(
    "document", documents(), ids=lambda document: f"{document['kind']}-{document['metadata']['name']}"
)
def test_the_schema_accepts_the_examples(document: dict[str, Any]) -> None:
    """Every example is accepted by the whole and by its own kind, and by no other kind."""
    VALIDATOR.validate(document)
    for kind in KINDS:
        assert jsonschema.Draft202012Validator(schema(kind)).is_valid(document) is (kind == document["kind"])


@pytest.mark.parametrize(
    "document", documents(), ids=lambda document: f"{document['kind']}-{document['metadata']['name']}"
)
def test_the_schema_refuses_misspelled_keys(document: dict[str, Any]) -> None:
    """L5: a key with a letter too many is refused by the editor already."""
    for place, key in fixed_keys(document):
        wrong = copy.deepcopy(document)
        part = wrong
        for step in place:
            part = part[step]
        part[f"{key}x"] = part.pop(key)

        assert not VALIDATOR.is_valid(wrong), (place, key)


def fixed_keys(node: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Yield every key that the language knows, with its place."""
    if isinstance(node, list):
        for number, item in enumerate(node):
            yield from fixed_keys(item, (*place, number))
    if isinstance(node, dict):
        for key, value in node.items():
            yield place, key
            if key not in {
                "labels",
                "annotations",
                "variables",
                "set",
                "append",
                "map",
                "schema",
                "values",
                "json",
            } and not (key == "metadata" and place):
                yield from fixed_keys(value, (*place, key))


@pytest.mark.parametrize(("key", "told"), list(properties()), ids=lambda value: value if isinstance(value, str) else "")
def test_every_key_is_described_with_an_example(key: str, told: dict[str, Any]) -> None:
    """An editor shows what each key is for, and an example that the schema itself accepts."""
    assert told["description"].endswith("."), key
    for example in told["examples"]:
        jsonschema.Draft202012Validator(told | {"$defs": SCHEMA["$defs"] | TESTS["$defs"]}).validate(example)


def test_no_default_is_an_empty_value() -> None:
    """A key that may be left out has no default that it would be wrong to write."""
    assert all(told.get("default", "given") not in (None, []) for _, told in properties())


def test_an_unknown_kind_has_no_schema() -> None:
    """There is no schema of a kind that is not there."""
    with pytest.raises(KeyError):
        schema("Polcy")


@pytest.mark.parametrize(
    "document",
    [
        {"match": []},
        {"match": [{}]},
        {"match": [{"paths": ["/**"]}], "rules": [{"name": "a"}]},
        {"match": [{"paths": ["/**"]}], "rules": [{"name": "a", "allow": True, "deny": True}]},
        {"match": [{"paths": ["v1"]}]},
        {"match": [{"paths": ["/**"]}], "mode": "on"},
        {"match": [{"paths": ["/**"]}], "limits": [{"name": "a", "rate": "3/min"}]},
        {"match": [{"paths": ["/**"]}], "description": None},
    ],
)
def test_the_schema_refuses_what_it_can_see(document: dict[str, Any]) -> None:
    """Empty lists, rules of no or two effects, wrong patterns and null are refused by the editor already."""
    head = {"apiVersion": "authz/v1", "kind": "Policy", "metadata": {"name": "p"}}
    VALIDATOR.validate({**head, "spec": {"match": [{"paths": ["/**"]}]}})

    assert not VALIDATOR.is_valid({**head, "spec": document})
