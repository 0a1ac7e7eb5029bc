"""Which form of a body a caller gets."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.policy.representations import ACCEPT, HTML, JSON, TEXT, Representation, Tree, chosen, filled, serialized
from authz.policy.template import Template

EMPTY = Template(parts=(), constant="")
FORMS = tuple(Representation(media_type=media_type, content=EMPTY) for media_type in (JSON, TEXT, HTML))
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, JSON),
        ("*/*", JSON),
        (BROWSER, HTML),
        ("text/*", TEXT),
        ("TEXT/HTML", HTML),
        ("text/html;q=0.5, application/json;q=0.4", HTML),
        ("text/html;q=0, */*", JSON),
        ("text/html;level=1;q=0.3, text/plain;q=0.4", TEXT),
        ("application/*;q=0.2, text/html;q=0.1", JSON),
        ("image/png", JSON),
        ("nonsense", JSON),
        ("text/html;q=2", HTML),
        (", ,text/html, ", HTML),
        ("text/html," * 200, JSON),
    ],
)
def test_the_caller_chooses(accept: str | None, expected: str) -> None:
    """The most specific range counts, weights are compared, and JSON is for those who do not care."""
    headers = {} if accept is None else {ACCEPT: accept}
    assert chosen(FORMS, headers).media_type == expected


def test_one_form_is_for_everybody() -> None:
    """A caller that accepts something else gets what there is."""
    assert chosen(FORMS[2:], {ACCEPT: "application/json"}).media_type == HTML


@given(st.text(max_size=60))
def test_whatever_a_caller_accepts_it_gets_something(accept: str) -> None:
    """No header is an error."""
    assert chosen(FORMS, {ACCEPT: accept}) in FORMS


def test_json_is_filled_in_place_by_place() -> None:
    """Values keep their type, and what is not to be filled in stays as it is."""
    tree = Tree(root={"a": [EMPTY, 1, None], "b": {"c": EMPTY}})
    assert filled(tree.root, lambda _: {"x": 1}) == {"a": [{"x": 1}, 1, None], "b": {"c": {"x": 1}}}


@given(st.text())
def test_json_is_never_a_page(value: str) -> None:
    """Not even where somebody takes it for one."""
    text = serialized({"a": value})
    assert "<" not in text
    assert json.loads(text) == {"a": value}
