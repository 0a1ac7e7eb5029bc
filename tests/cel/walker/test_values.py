"""The values of the Python engine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp
from google.protobuf.wrappers_pb2 import UInt32Value

from authz._pb.envoy.service.auth.v3.attribute_context_pb2 import AttributeContext
from authz.cel.types import Kind
from authz.cel.values import NoValueError
from authz.cel.walker.values import (
    Optional,
    TypeValue,
    Uint,
    UnsupportedError,
    elements,
    field_of,
    from_outside,
    has_field,
    integer,
    kind_of,
    no_operation,
    type_value,
)


def test_a_kind_is_exact() -> None:
    """A bool is no int, and a uint is none either."""
    kinds = {True: Kind.BOOL, 2: Kind.INT, 1.5: Kind.DOUBLE, "a": Kind.STRING, b"a": Kind.BYTES, None: Kind.NULL}
    assert all(kind_of(value) is kind for value, kind in kinds.items())
    assert kind_of(Uint(1)) is Kind.UINT
    assert kind_of([]) is Kind.LIST
    assert kind_of(Optional(present=False)) is Kind.OPTIONAL
    assert kind_of(Struct()) is Kind.MESSAGE
    assert kind_of(object()) is Kind.DYN


def test_a_number_from_outside_is_an_int_or_a_uint() -> None:
    """What neither can hold is an error."""
    assert type(integer(2**63 - 1)) is int
    assert type(integer(2**63)) is Uint
    for number in (2**64, -(2**63) - 1):
        with pytest.raises(NoValueError):
            integer(number)


def test_well_known_messages_are_values() -> None:
    """Times, durations and structs from protobuf are what they stand for."""
    struct = Struct()
    struct["a"] = [1, None, {"b": True}]
    assert from_outside(Timestamp(seconds=5)) == datetime(1970, 1, 1, 0, 0, 5, tzinfo=UTC)
    assert from_outside(Duration(seconds=-1, nanos=-500_000_000)) == timedelta(seconds=-1.5)
    assert from_outside(struct) == {"a": [1.0, None, {"b": True}]}
    assert elements([bytearray(b"a"), datetime(2026, 1, 1)]) == [b"a", datetime(2026, 1, 1, tzinfo=UTC)]
    with pytest.raises(UnsupportedError):
        from_outside(Timestamp(nanos=1))
    with pytest.raises(NoValueError):
        from_outside({1, 2})


def test_fields_of_messages_have_defaults() -> None:
    """A field that is not set has the default of its type, and `has` says that it is not."""
    context = AttributeContext(context_extensions={"a": "b"})
    assert field_of(context, "context_extensions") == {"a": "b"}
    assert field_of(context, "request") == AttributeContext.Request()
    assert has_field(context, "context_extensions")
    assert not has_field(context, "request")
    assert type(field_of(UInt32Value(value=5), "value")) is Uint
    with pytest.raises(NoValueError):
        field_of(context, "nope")


def test_a_type_is_a_value() -> None:
    """`type(x)` compares with the names of types."""
    assert type_value(1) == TypeValue("int")
    assert type_value(None) == TypeValue("null_type")
    assert type_value(datetime(2026, 1, 1, tzinfo=UTC)) == TypeValue("google.protobuf.Timestamp")
    assert type_value(AttributeContext()) == TypeValue("envoy.service.auth.v3.AttributeContext")
    assert str(no_operation("_+_", 1, "a")) == "no such operation: _+_(int, string)"
