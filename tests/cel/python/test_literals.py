"""The literals of CEL."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.cel.python.literals import read
from authz.cel.walker.values import Uint


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("INT_LIT", "-5", -5),
        ("INT_LIT", "0xFF", 255),
        ("INT_LIT", "-9223372036854775808", -(2**63)),
        ("UINT_LIT", "5u", 5),
        ("UINT_LIT", "0xFU", 15),
        ("FLOAT_LIT", "1.5e3", 1500.0),
        ("FLOAT_LIT", ".5", 0.5),
        ("BOOL_LIT", "true", True),
        ("BOOL_LIT", "false", False),
        ("NULL_LIT", "null", None),
        ("STRING_LIT", "'a'", "a"),
        ("STRING_LIT", r'"\a\b\f\n\r\t\v\\\'\"\`\?"', "\a\b\f\n\r\t\v\\'\"`?"),
        ("STRING_LIT", r"'\x41\101\u0041\U00000041'", "AAAA"),
        ("STRING_LIT", r"r'\n'", r"\n"),
        ("MLSTRING_LIT", "'''a\n'b'''", "a\n'b"),
        ("MLSTRING_LIT", 'R"""\\"""', "\\"),
        ("BYTES_LIT", r"b'\xff\377é'", b"\xff\xff\xc3\xa9"),
        ("BYTES_LIT", r"br'\x'", b"\\x"),
    ],
)
def test_a_literal_has_the_value_of_the_language_definition(kind: str, text: str, value: object) -> None:
    """Escapes, bases and quotes are read as CEL has them."""
    found = read(kind, text)
    assert found == value
    assert type(found) is (Uint if kind == "UINT_LIT" else type(value))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("INT_LIT", "9223372036854775808"),
        ("INT_LIT", "-9223372036854775809"),
        ("UINT_LIT", "18446744073709551616u"),
        ("UINT_LIT", "-1u"),
        ("FLOAT_LIT", "5."),
        ("FLOAT_LIT", "1.e3"),
        ("STRING_LIT", r"'\z'"),
        ("STRING_LIT", r"'\400'"),
        ("STRING_LIT", r"'\ud800'"),
        ("STRING_LIT", r"'\U00110000'"),
        ("BYTES_LIT", r"b'\u0041'"),
    ],
)
def test_what_is_no_literal_is_refused(kind: str, text: str) -> None:
    """Numbers that do not fit and escapes that are none have no value."""
    with pytest.raises(ValueError, match=r"."):
        read(kind, text)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_text_that_is_escaped_is_read_as_it_was(text: str) -> None:
    """Any text can be written as a literal and comes back."""
    escaped = "".join(f"\\U{ord(character):08x}" for character in text)
    assert read("STRING_LIT", f"'{escaped}'") == text
