"""Tests of media types (row B9)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.content.media import MediaType, media_type


@pytest.mark.parametrize(
    "value",
    [
        "application/json",
        "Application/JSON",
        "application/json;charset=utf-8",
        'application/json ; Charset="UTF-8"',
        "application/json; charset=utf8; profile=x",
        "application/problem+json",
        "application/vnd.api+json; ext=1",
        "application/json;",
    ],
)
def test_json_is_json(value: str) -> None:
    """`application/json` and `+json` are JSON in any case of letters, with UTF-8 as their only charset."""
    found = media_type(value)

    assert found is not None
    assert found.is_json


@pytest.mark.parametrize(
    "value",
    [
        *(
            "text/plain; x=application/json",
            "text/json",
            "application/jsonx",
            "application/json5",
            "application/x-json",
        ),
        *("application/json; charset=utf-16", "application/json; charset=latin1", 'application/json; charset=""'),
        *("application/+json/x", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"),
    ],
)
def test_other_types_are_not_json(value: str) -> None:
    """B9: neither a parameter nor a part of a name makes something JSON, and another charset unmakes it."""
    found = media_type(value)

    assert found is None or not found.is_json


@pytest.mark.parametrize(
    "value",
    [
        *("", " ", "json", "application/", "/json", "application/json, text/html", "application/json,application/json"),
        *("application/json; charset", "application/json; charset=utf-8; charset=utf-16", "application/json; a=b c"),
        *("application/json\n", " application/json", "application /json", 'application/json; a="b', "a/b" * 200),
    ],
)
def test_what_is_no_single_type_is_none(value: str) -> None:
    """B9: an empty value, two values, a parameter given twice or broken is no media type at all."""
    assert media_type(value) is None


def test_parameters_are_read() -> None:
    """Names of parameters are lower case, quoted values are unquoted."""
    assert media_type(r'Text/Plain;A="b\"c" ;d=E') == MediaType(name="text/plain", parameters={"a": 'b"c', "d": "E"})


@given(st.text('application/json; =",\\\x00é\n', max_size=60))
def test_any_text_is_a_type_or_none(value: str) -> None:
    """Law: nothing raises, and what is JSON begins with its name."""
    found = media_type(value)

    assert found is None or value.lower().startswith(found.name)
