"""Whether the value of a variable is of the type it was declared with."""

from __future__ import annotations

import pytest

from authz._pb.authz.v1.vocabulary_pb2 import Grpc, Mcp
from authz.cel.types import BOOL, BYTES, DYN, INT, STRING, UINT, list_of, map_of, message
from authz.cel.values import NoValueError
from authz.cel.walker.conform import conform
from authz.cel.walker.values import Uint


@pytest.mark.parametrize(
    ("value", "type_"),
    [
        ("a", STRING),
        (True, BOOL),
        (["a"], list_of(STRING)),
        ({"a": "b"}, map_of(STRING, STRING)),
        ({"a": [1]}, map_of(STRING, DYN)),
        ([1], DYN),
        (Mcp(), message("authz.v1.Mcp")),
    ],
)
def test_a_value_of_its_type_passes(value: object, type_: object) -> None:
    """What was declared is what is bound."""
    assert conform(value, type_) == value  # type: ignore[arg-type]


def test_values_are_brought_into_the_form_of_the_engine() -> None:
    """A bytearray is bytes, and an int declared as uint is one."""
    assert conform(bytearray(b"a\0"), BYTES) == b"a\0"
    assert type(conform(5, UINT)) is Uint


@pytest.mark.parametrize(
    ("value", "type_"),
    [
        (1, STRING),
        (True, INT),
        (1, BOOL),
        (None, STRING),
        ([1], list_of(STRING)),
        ({"a": 1}, map_of(STRING, STRING)),
        ({1: "a"}, map_of(STRING, STRING)),
        (Grpc(), message("authz.v1.Mcp")),
        ({1}, DYN),
    ],
)
def test_a_value_of_another_type_is_an_error(value: object, type_: object) -> None:
    """Nothing is taken for what it is not."""
    with pytest.raises(NoValueError):
        conform(value, type_)  # type: ignore[arg-type]
