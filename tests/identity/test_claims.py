"""Claims mean what they say, wherever in a token they stand."""

from __future__ import annotations

import pytest

from authz.identity.claims import claim, texts, words


@pytest.mark.parametrize(("path", "expected"), [
    ("a", {"b": "c"}), ("a.b", "c"), ("a.x", None), ("a.b.c", None), ("https://x.example/roles", ["r"]), ("nope", None),
])  # fmt: skip
def test_a_claim_is_found_by_name_or_path(path: str, expected: object) -> None:
    """A name with dots in it wins over a path; what is not there is `None`."""
    assert claim({"a": {"b": "c"}, "https://x.example/roles": ["r"]}, path) == expected


@pytest.mark.parametrize(("value", "expected"), [
    ("a  b", ("a", "b")), ("a\u00a0b", ("a\u00a0b",)),
    (["a b", "c"], ("a b", "c")), ([1, None, "a"], ("a",)), (7, ()), (None, ()), ({"a": 1}, ()),
])  # fmt: skip
def test_words_are_texts(value: object, expected: tuple[str, ...]) -> None:
    """A list keeps its texts whole, a text is split at spaces, anything else gives nothing."""
    assert words(value) == expected


@pytest.mark.parametrize(("value", "expected"), [
    ("Trainee admin", ("Trainee admin",)), (["a b", "c", ""], ("a b", "c")),
    ("", ()), (7, ()), (None, ()), ({"a": 1}, ()),
])  # fmt: skip
def test_names_are_never_split(value: object, expected: tuple[str, ...]) -> None:
    """Who may name a group `Trainee admin` makes nobody a member of `admin`, however an issuer writes a single one."""
    assert texts(value) == expected
