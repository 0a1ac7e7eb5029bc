"""What is known of functions before a run."""

from __future__ import annotations

from authz.cel.python import signatures
from authz.cel.types import BOOL, DYN, INT, NULL, STRING, TIMESTAMP, list_of, map_of, message, optional_of


def test_how_a_function_is_called_is_read_from_its_usage() -> None:
    """Members, functions and both are told apart, with the number of arguments."""
    assert signatures.fits("startsWith", 2, member=True)
    assert not signatures.fits("startsWith", 2, member=False)
    assert signatures.fits("size", 1, member=True)
    assert signatures.fits("size", 1, member=False)
    assert not signatures.fits("size", 2, member=False)
    assert signatures.fits("hasAny", 2, member=True)
    assert signatures.fits("math.greatest", 9, member=False)
    assert signatures.is_global("math.greatest")
    assert not signatures.is_global("startsWith")


def test_what_operations_take() -> None:
    """Types that are known must fit; dyn may be anything."""
    assert signatures.takes("_==_", STRING, STRING)
    assert signatures.takes("_==_", STRING, DYN)
    assert signatures.takes("_==_", TIMESTAMP, NULL)
    assert not signatures.takes("_==_", STRING, NULL)
    assert signatures.takes("@in", STRING, list_of(STRING))
    assert not signatures.takes("@in", INT, list_of(STRING))
    assert not signatures.takes("@in", STRING, STRING)
    assert not signatures.takes("_[_]", list_of(INT), STRING)
    assert signatures.takes("_[_]", map_of(STRING, INT), STRING)
    assert not signatures.takes("_&&_", BOOL, STRING)
    assert signatures.takes("_?_:_", BOOL, NULL, TIMESTAMP)
    assert not signatures.takes("matches", STRING, INT)


def test_what_operations_result_in() -> None:
    """One type in, the same type out; containers give their elements."""
    assert signatures.result("_+_", STRING, STRING) == STRING
    assert signatures.result("_+_", TIMESTAMP, DYN) == DYN
    assert signatures.result("_[_]", map_of(STRING, INT), STRING) == INT
    assert signatures.result("_[?_]", map_of(STRING, INT), STRING) == optional_of(INT)
    assert signatures.result("getHours", TIMESTAMP) == INT
    assert signatures.result("nosuch", DYN) == DYN


def test_what_selections_result_in() -> None:
    """Messages have the fields of their descriptors, maps their values, and texts no fields."""
    assert signatures.field(message("authz.v1.Mcp"), "tool") == STRING
    assert signatures.field(message("authz.v1.Mcp"), "nope") is None
    assert signatures.field(map_of(STRING, INT), "a") == INT
    assert signatures.field(DYN, "a") == DYN
    assert signatures.field(STRING, "a") is None
