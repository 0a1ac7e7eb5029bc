"""Tests of words that are nearly keywords."""

from __future__ import annotations

import pytest

from authz.content.keywords import ALL, misspelled


@pytest.mark.parametrize(
    ("schema", "found"),
    [
        ({"minLenght": 1}, [(("minLenght",), "minLength")]),
        ({"properties": {"minLenght": {"requird": []}}}, [(("properties", "minLenght", "requird"), "required")]),
        ({"allOf": [True, {"items": {"enums": []}}]}, [(("allOf", 1, "items", "enums"), "enum")]),
        ({"additionalproperties": False}, [(("additionalproperties",), "additionalProperties")]),
        ({"default": {"minLenght": 1}, "enum": [{"typ": 1}], "const": {"patern": 1}}, []),
        ({"x-mine": 1, "example": 1, "nullable": True, "discriminator": {}, "unit": "m"}, []),
        ({"id": 1, "definitions": {}}, []),
        (True, []), ([], []), (None, []), ({"properties": 1, "allOf": {}, "not": 1}, []),
    ],
)  # fmt: skip
def test_a_word_that_is_nearly_a_keyword_binds_nothing(schema: object, found: list[object]) -> None:
    """It is found where schemas stand; names of properties, values and remarks of any other kind are free."""
    assert list(misspelled(schema)) == found


def test_keywords_are_no_misspellings_of_each_other() -> None:
    """Every keyword is itself."""
    assert list(misspelled(dict.fromkeys(ALL, True))) == []
