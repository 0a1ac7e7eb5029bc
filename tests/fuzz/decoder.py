"""Protobuf's wire format, read slowly and by the letter of its specification; the schema is all it shares with ours.

https://protobuf.dev/programming-guides/encoding/. A field that comes twice: the last counts, messages are merged; what
is unknown, or comes with another wire type than its own, is skipped; text must be UTF-8. One thing the specification
leaves open is done as protobuf's C implementation does it: an entry of a map with anything unknown in it is unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor, FieldDescriptor

VARINT, FIXED64, BYTES, GROUP, END_GROUP, FIXED32 = range(6)
DEEPEST = 100
_STRING, _MESSAGE, _BYTES = 9, 11, 12  # FieldDescriptorProto.Type
_OF_FIXED_SIZE = {1: FIXED64, 2: FIXED32, 6: FIXED64, 7: FIXED32, 15: FIXED32, 16: FIXED64}
_SIGNED = {3, 5}


class UndecodableError(Exception):
    """The bytes are no such message."""


def decode(data: bytes, schema: Descriptor, depth: int = DEEPEST) -> dict[str, Any]:
    """Return the fields that are there by their names: messages and maps as dicts, repeated fields as lists."""
    if depth == 0:
        raise UndecodableError("too deep")
    pieces: dict[str, list[Any]] = {}
    place = 0
    while place < len(data):
        number, kind, raw, place = _field(data, place, depth)
        field = schema.fields_by_number.get(number)
        if field is not None and kind == _kind(field):
            if (oneof := field.containing_oneof) is not None:
                for other in oneof.fields:
                    if other.number != number:
                        pieces.pop(other.name, None)
            pieces.setdefault(field.name, []).append(raw)
    return {name: _value(schema.fields_by_name[name], raws, depth) for name, raws in pieces.items()}


def _value(field: FieldDescriptor, raws: list[Any], depth: int) -> Any:
    values = [_one(field, raw, depth) for raw in raws]
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        nothing = {} if field.message_type.fields_by_name["value"].message_type else ""
        known = [value for value, raw in zip(values, raws, strict=True) if _all_known(raw, field.message_type, depth)]
        return {entry.get("key", ""): entry.get("value", nothing) for entry in known}
    if field.is_repeated:
        return values
    if field.type == _MESSAGE and len(raws) > 1:
        return decode(b"".join(raws), field.message_type, depth - 1)
    return values[-1]


def _one(field: FieldDescriptor, raw: Any, depth: int) -> Any:
    if field.type == _MESSAGE:
        return decode(raw, field.message_type, depth - 1)
    if field.type == _STRING:
        try:
            return raw.decode()
        except UnicodeDecodeError:
            raise UndecodableError("text that is no UTF-8") from None
    if field.type in _SIGNED:
        return raw - (1 << 64) if raw >> 63 else raw
    return raw


def _all_known(data: bytes, schema: Descriptor, depth: int) -> bool:
    place = 0
    while place < len(data):
        number, kind, _, place = _field(data, place, depth)
        if number not in schema.fields_by_number or kind != _kind(schema.fields_by_number[number]):
            return False
    return True


def _kind(field: FieldDescriptor) -> int:
    return BYTES if field.type in {_STRING, _MESSAGE, _BYTES} else _OF_FIXED_SIZE.get(field.type, VARINT)


def _field(data: bytes, place: int, depth: int) -> tuple[int, int, Any, int]:
    """Read one field: its number, wire type and content, and where the next begins."""
    tag, place = _varint(data, place)
    number, kind = tag >> 3, tag & 7
    if not 0 < number < 1 << 29:
        raise UndecodableError("no field has this number")
    if kind == VARINT:
        return number, kind, *_varint(data, place)
    if kind == GROUP:
        return number, kind, None, _end_of_group(data, place, number, depth)
    if kind == BYTES:
        size, place = _varint(data, place)
    else:
        size = {FIXED64: 8, FIXED32: 4}.get(kind, len(data) + 1)
    if place + size > len(data):
        raise UndecodableError("the bytes end too soon, or there is no such wire type")
    return number, kind, data[place : place + size], place + size


def _end_of_group(data: bytes, place: int, number: int, depth: int) -> int:
    if depth == 0:
        raise UndecodableError("too deep")
    while True:
        tag, behind = _varint(data, place)
        if tag == number << 3 | END_GROUP:
            return behind
        *_, place = _field(data, place, depth - 1)


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = 0
    for index in range(10):
        if place + index >= len(data):
            break
        byte = data[place + index]
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return value & (1 << 64) - 1, place + index + 1
    raise UndecodableError("a number does not end")
