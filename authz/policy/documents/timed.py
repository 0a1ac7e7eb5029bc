"""Entries of Data documents that count for a time only: a value, until when, why, and by whose ticket.

Wherever an entry may stand, `{value: acme, until: 2026-12-31T00:00:00Z, reason: ..., ticket: ...}` may stand in its
place. A mapping that says `value` and `until` is such an entry, also where it says one of them wrongly: an exception
whose `until` is misspelled would never end. Whether an entry still counts is asked of a request's time, never here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

import msgspec

from authz.errors import Fault
from authz.policy.codes import Code
from authz.policy.documents import grammar
from authz.policy.documents.grammar import Unfit
from authz.policy.documents.values import nearest
from authz.policy.source import Mapping, Node, Scalar, Sequence, Text, quoted

KEYS = ("value", "until", "reason", "ticket")
"""What an entry says; the first two always."""

JSON_SCHEMA = {
    "type": "object",
    "properties": {
        "value": {"description": "The value that counts for a time.", "examples": ["198.51.100.7"]},
        "until": {
            "type": "string",
            "pattern": grammar.MOMENT,
            "description": "When it stops to count.",
            "examples": ["2026-12-31T00:00:00Z"],
        },
        "reason": {
            "type": "string",
            "description": "Why it is there. Shown, never interpreted.",
            "examples": ["migration"],
        },
        "ticket": {
            "type": "string",
            "description": "Who asked for it. Shown, never interpreted.",
            "examples": ["OPS-4711"],
        },
    },
    "required": ["value", "until"],
    "additionalProperties": False,
}
"""An entry, to an editor."""


class Timed(msgspec.Struct, frozen=True, kw_only=True):
    """One entry that counts until a time, in seconds since the epoch; at that time it does not count any more."""

    value: Any
    until: float
    reason: str = ""
    ticket: str = ""


def is_timed(keys: Iterable[str]) -> bool:
    """Tell whether a mapping of these keys is an entry that ends; nearly the words is meant to be the words."""
    meant = {_meant(str(key)) for key in keys if 3 < len(key) < 8}
    return meant.issuperset(KEYS[:2])


@lru_cache(maxsize=4096)
def _meant(key: str) -> str:
    """Return the word that a key is or nearly is; data is large, and its keys are the same ones again and again."""
    return next(iter(get_close_matches(key.lower(), KEYS[:2], n=1, cutoff=0.8)), "")


def timed(node: Mapping, value: Callable[[Any], object]) -> Timed:
    """Return an entry, its value read by `value`; raise `Unfit` with every fault of it."""
    faults = list(_keys(node))
    read: dict[str, Any] = {
        key: _read(node, key, faults, {"value": value, "until": _moment}.get(key, _word)) for key in KEYS if key in node
    }
    if faults:
        raise Unfit(*faults)
    return Timed(**read)


def networks(node: Sequence) -> tuple[object, ...]:
    """Return networks as `Text`, or `Timed` where they end; raise `Unfit` with every fault."""
    return tuple(each(node, lambda item: timed(item, network) if isinstance(item, Mapping) else network(item)))


def values(node: Sequence) -> list[object]:
    """Return plain values, or `Timed` where they end; raise `Unfit` with every fault."""
    return list(each(node, _value))


def entries(node: Mapping) -> dict[str, object]:
    """Return plain values by key, or `Timed` where they end; raise `Unfit` with every fault."""
    return dict(zip(map(str, node), each(node.values(), _value), strict=True))


def each(items: Iterable[Any], read: Callable[[Any], object]) -> list[object]:
    """Return what every item is read as; raise `Unfit` with the faults of all."""
    found: list[object] = []
    faults: list[Fault] = []
    for item in items:
        try:
            found.append(read(item))
        except Unfit as unfit:
            faults.extend(unfit.faults)
    if faults:
        raise Unfit(*faults)
    return found


def _value(node: Node) -> object:
    return timed(node, grammar.plain) if isinstance(node, Mapping) and is_timed(node) else grammar.plain(node)


def network(node: Node) -> Text:
    """Return a network; raise `Unfit` for anything else."""
    return grammar.network(_text(node))


def _keys(node: Mapping) -> Iterator[Fault]:
    for key in node.written():
        if key not in KEYS:
            meant = nearest(key, KEYS)
            hint = f'did you mean "{meant}"?' if meant else f"known here: {', '.join(KEYS)}"
            yield key.fault(Code.UNKNOWN_KEY, f"unknown key {quoted(key)}", hint=hint)
    for word in KEYS[:2]:
        if word not in node and not any(nearest(key, [word]) for key in node):
            yield node.fault(Code.MISSING_KEY, f'"{word}" is missing from an entry that ends')


def _read(node: Mapping, key: str, faults: list[Fault], read: Callable[[Any], object]) -> object:
    try:
        return read(node[key])
    except Unfit as unfit:
        faults.extend(unfit.faults)
        return None


def _text(node: Node) -> Text:
    if isinstance(node, Text):
        return node
    hint = f'write "{node}", in quotes' if isinstance(node, Scalar) and node else ""
    raise Unfit(node.fault(Code.TYPE, f"expected {Text.SHOWN}, not {node.SHOWN}", hint=hint))


def _moment(node: Node) -> float:
    return grammar.moment(_text(node))


def _word(node: Node) -> str:
    return str(_text(node))
