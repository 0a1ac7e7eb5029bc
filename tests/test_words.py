"""A number of things is said as a person says it, and no text speaks to a terminal."""

import pytest

from authz.words import counted, printable


@pytest.mark.parametrize(("number", "said"), [(0, "0 files"), (1, "1 file"), (2, "2 files")])
def test_only_one_is_one(number: int, said: str) -> None:
    """None is many, in English."""
    assert counted(number, "file") == said


def test_a_word_may_have_another_form() -> None:
    """Not every word takes an s at its end."""
    assert (counted(1, "entry", "entries"), counted(2, "entry", "entries")) == ("1 entry", "2 entries")
    assert counted(2, "request of tests", "requests of tests") == "2 requests of tests"


def test_what_could_speak_to_a_terminal_is_shown_as_something() -> None:
    """Escapes, line ends and what turns the direction of writing; each keeps its column, and letters stay."""
    assert printable("a\x1b[31mé\r\n\u202eb") == "a�[31mé���b"
