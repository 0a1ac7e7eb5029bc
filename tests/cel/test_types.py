"""Types of CEL, independent of engines."""

from __future__ import annotations

import pytest

from authz.cel.types import BOOL, DYN, INT, STRING, STRING_MAP, STRING_SET, list_of, map_of, message, optional_of


@pytest.mark.parametrize(
    ("type_", "written"),
    [
        (BOOL, "bool"),
        (list_of(STRING), "list(string)"),
        (map_of(STRING, list_of(DYN)), "map(string, list(dyn))"),
        (message("authz.v1.Mcp"), "authz.v1.Mcp"),
        (optional_of(INT), "optional(int)"),
        (STRING_SET, "list(string)"),
    ],
)
def test_a_type_is_written_as_in_cel(type_: object, written: str) -> None:
    """A type's text is what a policy author reads in a fault."""
    assert str(type_) == written


def test_dyn_goes_everywhere() -> None:
    """What is only known at run time is accepted, and accepts."""
    assert DYN.accepts(BOOL)
    assert BOOL.accepts(DYN)
    assert list_of(STRING).accepts(list_of(DYN))


def test_types_that_differ_do_not_fit() -> None:
    """A type accepts itself and no other."""
    assert not BOOL.accepts(INT)
    assert not list_of(STRING).accepts(list_of(INT))
    assert not message("authz.v1.Mcp").accepts(message("authz.v1.Grpc"))


def test_an_indexed_list_is_a_list_to_an_expression() -> None:
    """That a value is asked by number is no matter of its type."""
    assert list_of(STRING).accepts(STRING_SET)
    assert map_of(STRING, DYN).accepts(STRING_MAP)
