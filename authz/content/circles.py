"""Schemas that refer to themselves before they have said anything.

`a: {$ref: a}` says nothing, and an engine that has to do something with it admits everything. Recursion is sound where
each turn goes a level down into the value (through `properties`, `items`); a circle of words that speak of the same
value is none. Pure: a parsed schema in, a place in it out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from authz.content.pointers import within

Path = tuple[str | int, ...]

_ONE = ("not", "if", "then", "else")
_MANY = ("allOf", "anyOf", "oneOf")


def circle(root: object) -> Path | None:
    """Return the path of a schema that is part of a circle inside `root`, `None` where there is no circle."""
    done: set[int] = set()
    for path, start in _every(root, ()):
        if id(start) in done:
            continue
        way: list[tuple[Any, Iterator[Any]]] = [(start, _same_value(start, root))]
        open_ = {id(start)}
        while way:
            schema, following = way[-1]
            found = next(following, None)
            if found is None:
                way.pop()
                open_.discard(id(schema))
                done.add(id(schema))
            elif id(found) in open_:
                return path
            elif id(found) not in done:
                open_.add(id(found))
                way.append((found, _same_value(found, root)))
    return None


def _every(node: object, path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield every mapping: schemas, and some that are none, which does no harm."""
    waiting: list[tuple[Path, object]] = [(path, node)]
    while waiting:
        here, found = waiting.pop()
        if isinstance(found, dict):
            yield here, found
            waiting.extend(((*here, key), value) for key, value in found.items())
        elif isinstance(found, list):
            waiting.extend(((*here, index), value) for index, value in enumerate(found))


def _same_value(schema: dict[str, Any], root: object) -> Iterator[dict[str, Any]]:
    """Yield the schemas that are asked about the very value that this one is asked about."""
    named = schema.get("dependentSchemas")
    found = [schema.get(word) for word in _ONE]
    found += [each for word in _MANY if isinstance(several := schema.get(word), list) for each in several]
    found += named.values() if isinstance(named, dict) else ()
    if isinstance(reference := schema.get("$ref"), str):
        found.append(within(reference, root))
    yield from (each for each in found if isinstance(each, dict))
