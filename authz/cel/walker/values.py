"""The values of the Python engine, where Python's own do not say enough, and how others become them.

Most values are Python's: bool, int, float, str, bytes, list, dict, None, aware datetime, timedelta. An `int` is CEL's
int; a uint is a `Uint`. Times are kept to the microsecond, so what has nanoseconds is not supported.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import ListValue, Struct, Value
from google.protobuf.timestamp_pb2 import Timestamp

from authz.cel.types import Kind
from authz.cel.values import NoValueError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from google._upb._message import FieldDescriptor as UpbFieldDescriptor

    Field = FieldDescriptor | UpbFieldDescriptor

INT_MIN, INT_MAX, UINT_MAX = -(1 << 63), (1 << 63) - 1, (1 << 64) - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class UnsupportedError(NoValueError):
    """This engine cannot tell; the expression may well have a value."""


class Uint(int):
    """A CEL uint."""

    __slots__ = ()


class TypeValue(msgspec.Struct, frozen=True):
    """A type as a value: what `type(x)` gives and `int` means."""

    name: str


class Optional(msgspec.Struct, frozen=True):
    """A value that may not be there."""

    present: bool
    content: object = None


NOTHING = Optional(present=False)

TYPES: Mapping[str, Kind] = {
    **{kind.value: kind for kind in (Kind.BOOL, Kind.INT, Kind.UINT, Kind.DOUBLE, Kind.STRING, Kind.BYTES)},
    **{kind.value: kind for kind in (Kind.LIST, Kind.MAP, Kind.TYPE)},
    "null_type": Kind.NULL,
    "google.protobuf.Timestamp": Kind.TIMESTAMP,
    "google.protobuf.Duration": Kind.DURATION,
    "optional_type": Kind.OPTIONAL,
}
"""The names of types that stand for themselves in an expression."""

_KINDS: Mapping[type, Kind] = {
    bool: Kind.BOOL,
    int: Kind.INT,
    Uint: Kind.UINT,
    float: Kind.DOUBLE,
    str: Kind.STRING,
    bytes: Kind.BYTES,
    list: Kind.LIST,
    dict: Kind.MAP,
    type(None): Kind.NULL,
    datetime: Kind.TIMESTAMP,
    timedelta: Kind.DURATION,
    TypeValue: Kind.TYPE,
    Optional: Kind.OPTIONAL,
}


def kind_of(value: object) -> Kind:
    """Return what kind of value something is."""
    return _KINDS.get(type(value)) or (Kind.MESSAGE if isinstance(value, Message) else Kind.DYN)


def type_value(value: object) -> TypeValue:
    """Return the type of a value as a value."""
    if isinstance(value, Message):
        return TypeValue(value.DESCRIPTOR.full_name)
    kind = kind_of(value)
    return TypeValue(next(name for name, known in TYPES.items() if known is kind))


def no_operation(name: str, *values: object) -> NoValueError:
    """Return the error of an operation that does not take these values."""
    return NoValueError(f"no such operation: {name}({', '.join(kind_of(value).value for value in values)})")


def from_outside(value: object) -> object:
    """Return a value from a binding, or from inside one, as this engine has it."""
    reader = _READERS.get(type(value))
    if reader is not None:
        return reader(value)
    if type(value) in _KINDS:
        return value
    if isinstance(value, Message):
        return _from_message(value)
    raise NoValueError("a value is not of the type that was declared")


def integer(value: int) -> int:
    """Return an integer from outside: a uint if it is too large for an int, and an error if for both."""
    if INT_MIN <= value <= INT_MAX:
        return value
    if 0 <= value <= UINT_MAX:
        return Uint(value)
    raise NoValueError("out of range")


def _aware(time: datetime) -> datetime:
    """Return a time with its zone; the other engine, too, takes one without for UTC."""
    return time if time.tzinfo else time.replace(tzinfo=UTC)


_READERS: Mapping[type, Callable[[Any], object]] = {int: integer, bytearray: bytes, datetime: _aware}


def duration(*, seconds: int, nanos: int) -> timedelta:
    """Return a duration; one with nanoseconds is not supported."""
    return timedelta(seconds=seconds, microseconds=_microseconds(nanos))


def timestamp(*, seconds: int, nanos: int) -> datetime:
    """Return a timestamp; one with nanoseconds is not supported."""
    return _EPOCH + timedelta(seconds=seconds, microseconds=_microseconds(nanos))


def _microseconds(nanos: int) -> int:
    micros, rest = divmod(nanos, 1000)
    if rest:
        raise UnsupportedError("nanoseconds are not supported")
    return micros


_WELL_KNOWN: Mapping[str, Callable[[Any], object]] = {
    Timestamp.DESCRIPTOR.full_name: lambda message: timestamp(seconds=message.seconds, nanos=message.nanos),
    Duration.DESCRIPTOR.full_name: lambda message: duration(seconds=message.seconds, nanos=message.nanos),
    Struct.DESCRIPTOR.full_name: lambda message: {key: _from_message(each) for key, each in message.fields.items()},
    ListValue.DESCRIPTOR.full_name: lambda message: [_from_message(each) for each in message.values],
    Value.DESCRIPTOR.full_name: MessageToDict,
}


def _from_message(message: Message) -> object:
    """Return a message, or the value one of Google's well-known types stands for."""
    reader = _WELL_KNOWN.get(message.DESCRIPTOR.full_name)
    return reader(message) if reader else message


def field_of(message: Message, name: str) -> object:
    """Return a field of a message, its default if it is not set."""
    field = _field(message, name)
    value = getattr(message, name)
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return {key: _element(value[key], field.message_type.fields_by_name["value"]) for key in value}
    return [_element(each, field) for each in value] if field.is_repeated else _element(value, field)


def has_field(message: Message, name: str) -> bool:
    """Return whether a field of a message is set: not empty, where presence is not kept."""
    field = _field(message, name)
    if field.has_presence:
        return bool(message.HasField(name))
    return bool(getattr(message, name))


def _field(message: Message, name: str) -> Field:
    field = message.DESCRIPTOR.fields_by_name.get(name)
    if field is None:
        raise NoValueError("no such field")
    return field


_UNSIGNED = frozenset({FieldDescriptor.CPPTYPE_UINT32, FieldDescriptor.CPPTYPE_UINT64})


def _element(value: Any, field: Field) -> object:  # noqa: ANN401 - what a field holds is what its descriptor says
    return Uint(value) if field.cpp_type in _UNSIGNED else from_outside(value)


def elements(container: Sequence[object] | Mapping[object, object]) -> list[object]:
    """Return what a loop runs over: the elements of a list, the keys of a map."""
    return [from_outside(each) for each in container]
