"""Whether the value of a variable is of the type it was declared with; nothing else checks types in this engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.message import Message

from authz.cel.types import STRING, Kind
from authz.cel.values import NoValueError
from authz.cel.walker.values import Uint, from_outside, kind_of

if TYPE_CHECKING:
    from authz.cel.types import CelType


def conform(value: object, type_: CelType) -> object:
    """Return the value of a variable as this engine has it; raise `NoValueError` if it is of another type.

    The texts of a list or a map of texts are looked at, what is deeper is not.
    """
    read = from_outside(value)
    if type_.kind is Kind.DYN:
        return read
    if type_.kind is Kind.UINT and type(read) is int:
        return Uint(read)
    if not _is_of(read, type_):
        raise NoValueError("a value is not of the type that was declared")
    return read


def _is_of(value: object, type_: CelType) -> bool:
    if isinstance(value, Message):
        return value.DESCRIPTOR.full_name == type_.name
    if kind_of(value) is not type_.kind:
        return False
    if isinstance(value, list) and type_.parameters[0] == STRING:
        return all(isinstance(each, str) for each in value)
    if isinstance(value, dict) and type_.parameters == (STRING, STRING):
        return all(isinstance(each, str) for pair in value.items() for each in pair)
    return True
