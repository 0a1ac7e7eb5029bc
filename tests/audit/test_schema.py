"""The JSON Schema of records."""

from __future__ import annotations

from typing import Any

import jsonschema
import msgspec
import pytest

from authz.audit.record import Record
from authz.audit.schema import CHAIN, TOLD, schema

SCHEMA = schema()
FIELDS = [(part, name, told) for part, one in SCHEMA["$defs"].items() for name, told in one["properties"].items()]


def test_it_is_a_schema() -> None:
    """Of JSON Schema 2020-12."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_what_it_says_is_prose() -> None:
    """As editors show it: without the indentation of the code it comes from."""
    for part in SCHEMA["$defs"].values():
        assert "\n  " not in part.get("description", "")


def test_words_are_of_fields() -> None:
    """None is missing, and none is left over of a field that is gone."""
    made = msgspec.json.schema(Record)["$defs"]
    fields = {part: set(one["properties"]) for part, one in made.items()}
    assert fields == {part: set(one) for part, one in TOLD.items()}
    assert CHAIN.keys().isdisjoint(TOLD["Record"])


@pytest.mark.parametrize(("part", "name", "told"), FIELDS, ids=[f"{part}.{name}" for part, name, _ in FIELDS])
def test_every_field_has_a_sentence_and_an_example_that_fits(part: str, name: str, told: dict[str, Any]) -> None:
    """What an analyst sees of it."""
    assert told["description"].endswith("."), (part, name)
    for example in told["examples"]:
        jsonschema.Draft202012Validator(told | {"$defs": SCHEMA["$defs"]}).validate(example)
