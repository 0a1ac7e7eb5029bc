"""Where an expression ends and what it spells is found without being fooled by strings and comments."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.policy.scan import closing_brace, members


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("${a}", "a"),
        ('${{"x": "}"}["x"]} and }', '{"x": "}"}["x"]'),
        ("${'''}'''}", "'''}'''"),
        (r'${r"\"}', r'r"\"'),
        (r'${"\"}"}', r'"\"}"'),
        ("${a // }\n}", "a // }\n"),
        ('${b"}"} ${c}', 'b"}"'),
        ("${}", ""),
    ],
)
def test_an_expression_ends_at_its_own_brace(text: str, expression: str) -> None:
    """Braces in strings, in comments and in map literals do not end an expression."""
    end = closing_brace(text, 2)
    assert end is not None
    assert text[2:end] == expression


@pytest.mark.parametrize("text", ["${a", "${{}", "${a // }"])
def test_an_expression_that_never_ends(text: str) -> None:
    """There is no end where none is written."""
    assert closing_brace(text, 2) is None


@given(st.text(alphabet="{}\"'\\r/ \na", max_size=20))
def test_the_end_is_a_brace(text: str) -> None:
    """Whatever is written, what is found is a closing brace behind the start."""
    end = closing_brace(text, 1)
    assert end is None or (end >= 1 and text[end] == "}")


def test_members_are_names_behind_a_name() -> None:
    """Only `variables.x` itself counts: not in a string, not in a comment, not as a field of something else."""
    source = 'variables.a + variables . b + x.variables.c + "variables.d" + variables.e.f // variables.g'
    assert list(members(source, "variables")) == ["a", "b", "e"]
