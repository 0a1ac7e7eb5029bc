"""Tests of quotes."""

from __future__ import annotations

import pytest

from authz.policy.formatting import formatted

HEAD = "apiVersion: authz/v1\nkind: Data\nmetadata: {name: d}\nspec:\n"


@pytest.mark.parametrize(
    ("written", "made"),
    [
        ('values: ["acme", "globex"]', "values: [acme, globex]"),
        ("map: {a: 'b c'}", "map: {a: b c}"),
        ('map: {a: "https://a.example.com/"}', "map: {a: https://a.example.com/}"),
        ('values:\n    - "acme"', "values:\n    - acme"),
    ],
)
def test_quotes_that_say_nothing_are_left_out(written: str, made: str) -> None:
    """In brackets and in lines."""
    assert formatted(f"{HEAD}  {written}\n") == f"{HEAD}  {made}\n"


@pytest.mark.parametrize(
    "value",
    [
        "yes",
        "no",
        "on",
        "null",
        "~",
        "1.10",
        "404",
        "2026-11-23",
        "22:22",
        "0x1f",
        "1_000",
        "",
        " a",
        "a: b",
        "a #b",
        "- a",
    ],
)
def test_what_some_reader_takes_for_something_else_keeps_its_quotes(value: str) -> None:
    """Numbers, times, words that YAML 1.1 converts, and what begins or ends something."""
    text = f'{HEAD}  values: ["{value}"]\n'
    assert formatted(text) == text


@pytest.mark.parametrize("value", ["/v1/**", "{id}", "*.example.com", "what?", "a,b", "it's", "a & b", "50%", "a\\nb"])
def test_what_a_person_would_have_to_think_about_keeps_its_quotes(value: str) -> None:
    """Signs that begin something elsewhere in YAML; and with one of a list all of it."""
    text = f'{HEAD}  values: ["{value}", "acme"]\n'
    assert formatted(text) == text


def test_an_expression_needs_no_quotes_where_yaml_takes_it() -> None:
    """Quotes inside quotes are what people misread."""
    head = HEAD.replace("Data", "Policy") + "  match: [{paths: [/a]}]\n  rules:\n    - name: a\n      "
    assert formatted(f"{head}allow: 'request.method == \"GET\"'\n") == f'{head}allow: request.method == "GET"\n'
    for kept in ("'!identity.authenticated'", "'\"a\" in identity.roles'", "'{}.size() == 0'"):
        assert formatted(f"{head}deny: {kept}\n") == f"{head}deny: {kept}\n"
