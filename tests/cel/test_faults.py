"""Faults of expressions."""

from __future__ import annotations

from authz.cel.faults import Code, CompileError, CompileFault, nearest
from authz.errors import AuthzError


def test_faults_come_in_order_of_place_and_once() -> None:
    """An error carries every fault, sorted by place, none twice."""
    late = CompileFault(line=2, code=Code.SYNTAX, message="b")
    early = CompileFault(column=4, code=Code.TYPE, message="a")
    error = CompileError([late, early, late])
    assert error.faults == (early, late)
    assert str(error) == "a; b"
    assert isinstance(error, AuthzError)


def test_codes_of_expressions_are_their_own() -> None:
    """Codes are stable and begin with AZ3."""
    assert all(code.value.startswith("AZ3") for code in Code)
    assert len(set(Code)) == len(list(Code))


def test_the_nearest_name_is_named() -> None:
    """A hint names the candidate closest to what was written, or says nothing."""
    assert nearest("request.methd", ["request.method", "request.path"]) == 'did you mean "request.method"?'
    assert nearest("zzz", ["request.method"]) == ""
