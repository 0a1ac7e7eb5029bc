"""Building the checked tree."""

from __future__ import annotations

import pytest

from authz.cel.python.builder import Builder
from authz.cel.tree import literal, type_of
from authz.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    NULL,
    STRING,
    TIMESTAMP,
    UINT,
    CelType,
    Kind,
    list_of,
    map_of,
    message,
    optional_of,
)
from authz.cel.walker.values import Uint


@pytest.mark.parametrize(
    "type_",
    [
        BOOL,
        INT,
        UINT,
        DOUBLE,
        STRING,
        BYTES,
        TIMESTAMP,
        DURATION,
        DYN,
        NULL,
        CelType(kind=Kind.TYPE),
        list_of(DYN),
        map_of(STRING, list_of(INT)),
        message("authz.v1.Mcp"),
        optional_of(STRING),
    ],
)
def test_a_type_is_written_as_it_is_read(type_: CelType) -> None:
    """What is put into a tree as a type comes out of it as the same."""
    build = Builder()
    checked = build.finished(build.name("x", 3, type_))
    assert type_of(checked, checked.expr) == type_
    assert checked.source_info.positions[checked.expr.id] == 3


@pytest.mark.parametrize("value", [None, True, -5, Uint(5), 1.5, "a", b"a"])
def test_a_literal_keeps_its_value(value: object) -> None:
    """Each kind of literal has its own place in the tree."""
    build = Builder()
    checked = build.finished(build.constant(value, 0))
    assert literal(checked.expr.const_expr) == value


def test_elements_of_one_type_make_a_typed_list() -> None:
    """Elements of several types make a list of anything."""
    build = Builder()
    same = build.list([build.constant("a", 0), build.constant("b", 0)], 0)
    mixed = build.list([build.constant("a", 0), build.constant(1, 0)], 0)
    assert build.type_of(same) == list_of(STRING)
    assert build.type_of(mixed) == list_of(DYN)
    assert build.type_of(build.map([(build.constant("k", 0), same)], 0)) == map_of(STRING, list_of(STRING))
