"""Tests of JSON Pointers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from authz.content.pointers import MAX_NAME, pointer, steps, within
from authz.model import Unmet


def test_a_pointer_is_short_and_what_is_told_is_one_printable_line() -> None:
    """RFC 6901: `~` and `/` are escaped; whatever else a client names its members cannot break a log."""
    assert pointer(["a/b~c", 0]) == "/a~1b~0c/0"
    assert len(pointer(["x" * 10_000])) == MAX_NAME + 1
    told = Unmet(part="body", pointer='/d"\n\x1b\u2028é', keyword="type").told
    assert told == r'''body "/d\"\n\x1b\u2028\xe9" does not meet "type"'''


@given(st.lists(st.text(max_size=MAX_NAME)))
def test_a_pointer_leads_back(path: list[str]) -> None:
    """RFC 6901: the steps of a pointer are those it was made of, whatever is in their names."""
    assert steps(pointer(path)) == path


def test_a_reference_leads_inside_its_document_or_nowhere() -> None:
    """What is not there, and what is in another file, is nothing."""
    root = {"a/b": {"c": 1}, "list": [1], "ä b": 2}

    assert within("#/a~1b/c", root) == within("#/list/0", root) == 1
    assert within("#/%C3%A4%20b", root) == 2
    assert within("#", root) is root
    assert [within(away, root) for away in ("#/x", "#/list/1", "#/list/x", "#/list/-1", "other.json#/c", "")] == [
        None
    ] * 6
