"""What an expression can read: the declared variables, derived from `protos/authz/v1/vocabulary.proto`.

One rule makes names of messages. A field of `Vocabulary` whose message is nested in it is a namespace: `request` with
`method` in it gives the variable `request.method`. Every other field is a variable itself. `data.*` and `variables.*`
are declared by whoever compiles policies, with `Environment.extended`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.descriptor import FieldDescriptor

from authz._pb.authz.v1.vocabulary_pb2 import Strings, Vocabulary
from authz.cel.types import BOOL, BYTES, DOUBLE, DURATION, DYN, INT, STRING, TIMESTAMP, UINT, list_of, map_of, message

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from google._upb._message import Descriptor as UpbDescriptor
    from google._upb._message import FieldDescriptor as UpbFieldDescriptor
    from google.protobuf.descriptor import Descriptor

    from authz.cel.types import CelType

    Message = Descriptor | UpbDescriptor
    Field = FieldDescriptor | UpbFieldDescriptor

_SCALARS = {
    FieldDescriptor.TYPE_BOOL: BOOL,
    FieldDescriptor.TYPE_INT64: INT,
    FieldDescriptor.TYPE_INT32: INT,
    FieldDescriptor.TYPE_UINT64: UINT,
    FieldDescriptor.TYPE_DOUBLE: DOUBLE,
    FieldDescriptor.TYPE_STRING: STRING,
    FieldDescriptor.TYPE_BYTES: BYTES,
}
_MESSAGES = {
    "google.protobuf.Value": DYN,
    "google.protobuf.Struct": map_of(STRING, DYN),
    "google.protobuf.Timestamp": TIMESTAMP,
    "google.protobuf.Duration": DURATION,
    Strings.DESCRIPTOR.full_name: list_of(STRING),
}


def variables_of(vocabulary: Message) -> Iterator[tuple[Field, str]]:
    """Yield the field and the name of every variable a vocabulary declares, in its order."""
    for field in vocabulary.fields:
        namespace = field.message_type
        if namespace is not None and namespace.containing_type == vocabulary and not is_map(field):
            for member in namespace.fields:
                yield member, f"{field.name}.{member.name}"
        else:
            yield field, field.name


def type_of(field: Field) -> CelType:
    """Return the type of the variable a field declares."""
    if field.message_type is not None and is_map(field):
        key, value = field.message_type.fields
        return map_of(type_of(key), type_of(value))
    single = _single(field)
    return list_of(single) if field.is_repeated else single


def is_map(field: Field) -> bool:
    """Return whether a field is a map, which protobuf declares as a repeated nested message."""
    entry = field.message_type
    return entry is not None and entry.GetOptions().map_entry


def _single(field: Field) -> CelType:
    if field.message_type is None:
        return _SCALARS[field.type]
    name = field.message_type.full_name
    return _MESSAGES.get(name) or message(name)


VARIABLES: Mapping[str, CelType] = {name: type_of(field) for field, name in variables_of(Vocabulary.DESCRIPTOR)}
"""Every variable of the vocabulary and its type."""
