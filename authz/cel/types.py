"""The types of CEL, independent of any engine.

A variable is declared with one of these and an expression has one. `dyn` is the type that is only known at run time:
it goes everywhere and everything goes into it. Messages are named, the descriptor pool knows them.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """What a value is, in the words of CEL."""

    BOOL = "bool"
    INT = "int"
    UINT = "uint"
    DOUBLE = "double"
    STRING = "string"
    BYTES = "bytes"
    TIMESTAMP = "timestamp"
    DURATION = "duration"
    NULL = "null"
    TYPE = "type"
    DYN = "dyn"
    LIST = "list"
    MAP = "map"
    OPTIONAL = "optional"
    MESSAGE = "message"


class CelType(msgspec.Struct, frozen=True, kw_only=True):
    """One type. `parameters` are the element of a list, key and value of a map; `name` is a message's full name.

    `indexed` is set for a list or map that is asked by number (`indexes`); to an expression it is a list or map.
    """

    kind: Kind
    parameters: tuple[CelType, ...] = ()
    name: str = ""
    indexed: bool = False

    def __str__(self) -> str:
        if self.kind is Kind.MESSAGE:
            return self.name
        return f"{self.kind}({', '.join(map(str, self.parameters))})" if self.parameters else self.kind.value

    def accepts(self, other: CelType) -> bool:
        """Return whether a value of the `other` type can stand where this one is expected."""
        if Kind.DYN in {self.kind, other.kind}:
            return True
        if (self.kind, self.name) != (other.kind, other.name):
            return False
        return all(mine.accepts(its) for mine, its in zip(self.parameters, other.parameters, strict=False))


def list_of(element: CelType) -> CelType:
    """Return the type of lists of `element`."""
    return CelType(kind=Kind.LIST, parameters=(element,))


def map_of(key: CelType, value: CelType) -> CelType:
    """Return the type of maps from `key` to `value`."""
    return CelType(kind=Kind.MAP, parameters=(key, value))


def optional_of(element: CelType) -> CelType:
    """Return the type of optionals of `element`; an optional lives inside expressions only."""
    return CelType(kind=Kind.OPTIONAL, parameters=(element,))


def message(name: str) -> CelType:
    """Return the type of the protobuf message `name` (`authz.v1.Mcp`)."""
    return CelType(kind=Kind.MESSAGE, name=name)


BOOL = CelType(kind=Kind.BOOL)
INT = CelType(kind=Kind.INT)
UINT = CelType(kind=Kind.UINT)
DOUBLE = CelType(kind=Kind.DOUBLE)
STRING = CelType(kind=Kind.STRING)
BYTES = CelType(kind=Kind.BYTES)
TIMESTAMP = CelType(kind=Kind.TIMESTAMP)
DURATION = CelType(kind=Kind.DURATION)
NULL = CelType(kind=Kind.NULL)
DYN = CelType(kind=Kind.DYN)

STRING_SET = CelType(kind=Kind.LIST, parameters=(STRING,), indexed=True)
"""A list of strings in which `in` looks up instead of scanning; bind a `StringSet`."""

STRING_MAP = CelType(kind=Kind.MAP, parameters=(STRING, DYN), indexed=True)
"""A map from strings that is the same for every request, however large; bind a `Constant`."""

NETWORK_SET = CelType(kind=Kind.MESSAGE, name="authz.v1.NetworkSet", indexed=True)
"""An indexed set of networks, for `inSet`; bind a `NetworkIndex`."""

SECRET = CelType(kind=Kind.MESSAGE, name="authz.v1.Secret")
"""A secret, for `hash.hmac_sha256`; bind a `Secret`."""
