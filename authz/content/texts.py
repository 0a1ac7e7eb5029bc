"""Named texts as the values a schema speaks of: a query, a form, headers, path parameters.

HTTP carries texts, a schema says `integer`. A text becomes a number or a truth only where the schema lets it be one and
the text is written in the one way JSON has for it; anything else stays a text, and the schema refuses it. A name that
comes twice where one value is meant is refused: of two values, who knows which one the upstream takes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from authz.content.pointers import pointer, within
from authz.model import Unmet

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,18})")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_TYPES = ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"), (list, "array"), (dict, "object"))
_LARGEST = 2**63 - 1
_LONGEST = 400
_DEEPEST = 32


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """What a schema lets something be: types of JSON, none where it says nothing; `items` those of a list."""

    types: frozenset[str] = frozenset()
    items: frozenset[str] = frozenset()

    @property
    def is_list(self) -> bool:
        """Tell whether several values are meant."""
        return "array" in self.types


class TextsValidator:
    """The names an object schema speaks of, and what texts under them must be."""

    def __init__(self, part: str, known: Mapping[str, Kind], unmet: Callable[[object], tuple[Unmet, ...]]) -> None:
        self._part = part
        self._known = known
        self._unmet = unmet

    @property
    def names(self) -> frozenset[str]:
        """Return the names the schema has properties for."""
        return frozenset(self._known)

    def unmet(self, texts: Mapping[str, Sequence[str]], *, separator: str = "") -> tuple[Unmet, ...]:
        """Return where texts do not meet the schema; with a `separator`, one text stands for a list."""
        values: dict[str, object] = {}
        repeated: list[Unmet] = []
        for name, given in texts.items():
            kind = self._known.get(name)
            if kind is None:
                values[name] = given[0] if len(given) == 1 else list(given)
            elif kind.is_list:
                split = [each.strip() for text in given for each in text.split(separator)] if separator else given
                values[name] = [value(text, kind.items) for text in split]
            elif len(given) == 1:
                values[name] = value(given[0], kind.types)
            else:
                repeated.append(Unmet(part=self._part, pointer=pointer([name]), keyword="repeated"))
        return tuple(repeated) or self._unmet(values)


def value(text: str, types: frozenset[str]) -> object:
    """Return what a text stands for among some types, or the text."""
    if "integer" in types and _INTEGER.fullmatch(text) and abs(whole := int(text)) <= _LARGEST:
        return whole
    if "number" in types and len(text) <= _LONGEST and _NUMBER.fullmatch(text) and math.isfinite(real := float(text)):
        return real
    return text == "true" if "boolean" in types and text in {"true", "false"} else text


def kinds(schema: object, root: object) -> dict[str, Kind]:
    """Return what an object schema lets each of its properties be; raise `LookupError` where it cannot be told."""
    return {
        name: kind(part, root)
        for each in _parts(schema, root, _DEEPEST)
        for name, part in (each.get("properties") or {}).items()
    }


def kind(schema: object, root: object) -> Kind:
    """Return what a schema lets something be, also through references and alternatives."""
    parts = list(_parts(schema, root, _DEEPEST))
    items = [each["items"] for each in parts if "items" in each]
    within = (types for item in items for each in _parts(item, root, _DEEPEST) for types in _types(each))
    return Kind(types=frozenset(types for each in parts for types in _types(each)), items=frozenset(within))


def _parts(schema: object, root: object, depth: int) -> Iterator[Mapping[str, Any]]:
    """Yield a schema and those it is made of."""
    if not isinstance(schema, dict) or not depth:
        return
    yield schema
    if isinstance(reference := schema.get("$ref"), str):
        if not reference.startswith("#"):
            raise LookupError(f"the type of a text cannot be told from another file, {reference}: write it here")
        yield from _parts(within(reference, root), root, depth - 1)
    for word in ("allOf", "anyOf", "oneOf"):
        for each in schema.get(word, ()):
            yield from _parts(each, root, depth - 1)


def _types(schema: Mapping[str, Any]) -> Iterator[str]:
    said = schema.get("type", ())
    yield from [said] if isinstance(said, str) else said
    for each in [*schema.get("enum", ()), *([schema["const"]] if "const" in schema else ())]:
        yield from [name for of, name in _TYPES if isinstance(each, of)][:1]
