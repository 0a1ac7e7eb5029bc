"""Names that policies may have, made of any words."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from authz.cli.naming import named, unique
from authz.policy.documents.grammar import name
from authz.policy.source import Source, Text


@given(st.text())
def test_any_words_make_a_name(words: str) -> None:
    """Whatever another program calls something, a policy can call it nearly so."""
    made = named(words, "limit")
    text = Text.at(made, Source("f", made), 0, len(made))
    assert isinstance(text, Text)
    assert name(text) == made


def test_a_name_that_is_taken_gets_a_number() -> None:
    """The first that is free."""
    assert [unique("a", taken) for taken in ([], ["a"], ["a", "a-2"])] == ["a", "a-2", "a-3"]
