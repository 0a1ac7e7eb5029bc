"""JSON as tokens and key sets must be: one object, each name once, text that is text.

Two readers of one token must not find two different claims in it.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

import msgspec

DEEPEST = 32


def read_object(content: bytes) -> dict[str, Any]:
    """Read a JSON object (RFC 8259, UTF-8 only); raises `ValueError` for anything that could be read in two ways."""
    if content.count(b"{") + content.count(b"[") > DEEPEST and _depth(content) > DEEPEST:
        raise ValueError("nested too deeply")
    value = _decoder.decode(content.decode("utf-8"))
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    if b"\\u" in content:
        _refuse_lone_surrogates(value)
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a name stands twice")
    return values


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _refuse_lone_surrogates(value: object) -> None:
    try:
        msgspec.json.encode(value)
    except UnicodeEncodeError:
        raise ValueError("a text is no Unicode") from None


def _depth(content: bytes) -> int:
    """Count how deep the brackets go, those in texts included: never less than the truth."""
    depth = deepest = 0
    for byte in content:
        if byte in b"{[":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"}]":
            depth -= 1
    return deepest


_decoder = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_constant)
