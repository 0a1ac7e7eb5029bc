"""Schemas that refer to themselves before they have said anything.

`a: {$ref: a}` says nothing, and an engine that has to do something with it admits everything. Recursion is sound where
each turn goes a level down into the value (through `properties`, `items`); a circle of words that speak of the same
value is none. References are followed by path, by anchor and by id, also into other files. Pure: parsed schemas in, a
place in them out.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from authz.content.pointers import within

Path = tuple[str | int, ...]
Place = tuple[str, dict[str, Any]]
"""The file that a schema is written in (`""` is the one that refers to the others), and the schema."""

BASE = "json-schema:///"
"""What the address of a file is, before its path."""

_ONE = ("not", "if", "then", "else")
_MANY = ("allOf", "anyOf", "oneOf")
_REFERENCES = ("$ref", "$dynamicRef")
_ANCHORS = ("$anchor", "$dynamicAnchor")


def circle(root: object, others: Mapping[str, object] | None = None) -> tuple[str, Path] | None:
    """Return file and path of a schema that is part of a circle, `None` where there is none; `others` are by path."""
    walk = _Walk({**(others or {}), "": root})
    for file, document in walk.documents.items():
        for path, start in _every(document, ()):
            if walk.turns(file, start):
                return file, path
    return None


def reaching(documents: Mapping[str, object]) -> Callable[[dict[str, Any]], tuple[list[dict[str, Any]], bool]]:
    """Return what finds all that a schema of the document `""` leads to, at any depth, and whether any leads to itself.

    What references mean is found out once for all schemas.
    """
    return partial(_reached, _Walk(documents, deeper=True))


def _reached(walk: _Walk, start: dict[str, Any]) -> tuple[list[dict[str, Any]], bool]:
    found: dict[int, Place] = {id(start): ("", start)}
    waiting = list(found.values())
    while waiting:
        for place in walk.following(*waiting.pop()):
            if id(place[1]) not in found:
                found[id(place[1])] = place
                waiting.append(place)
    return [schema for _, schema in found.values()], walk.turns("", start)


class _Walk:
    """Follows the words that speak of one and the same value, or `deeper` of what is in it too."""

    def __init__(self, documents: Mapping[str, object], *, deeper: bool = False) -> None:
        self.documents = documents
        self.following = self._inside if deeper else self._same_value
        self._names = {file: dict(_names(document)) for file, document in documents.items()}
        self._done: set[int] = set()

    def turns(self, file: str, start: dict[str, Any]) -> bool:
        """Tell whether a schema leads to one that leads to itself."""
        if id(start) in self._done:
            return False
        way = [(start, self.following(file, start))]
        open_ = {id(start)}
        while way:
            schema, following = way[-1]
            found = next(following, None)
            if found is None:
                way.pop()
                open_.discard(id(schema))
                self._done.add(id(schema))
            elif id(found[1]) in open_:
                return True
            elif id(found[1]) not in self._done:
                open_.add(id(found[1]))
                way.append((found[1], self.following(*found)))
        return False

    def _same_value(self, file: str, schema: dict[str, Any]) -> Iterator[Place]:
        """Yield the schemas that are asked about the very value that this one is asked about."""
        named = schema.get("dependentSchemas")
        found = [schema.get(word) for word in _ONE]
        found += [each for word in _MANY if isinstance(several := schema.get(word), list) for each in several]
        found += named.values() if isinstance(named, dict) else ()
        yield from ((file, each) for each in found if isinstance(each, dict))
        yield from self._references(file, schema)

    def _inside(self, file: str, schema: dict[str, Any]) -> Iterator[Place]:
        """Yield the schemas in a schema, and some mappings that are none, which does no harm."""
        for each in schema.values():
            found = each if isinstance(each, list) else [each]
            yield from ((file, one) for one in found if isinstance(one, dict))
        yield from self._references(file, schema)

    def _references(self, file: str, schema: dict[str, Any]) -> Iterator[Place]:
        references = [reference for word in _REFERENCES if isinstance(reference := schema.get(word), str)]
        for place in (self._referred(file, reference) for reference in references):
            if isinstance(place[1], dict):
                yield place

    def _referred(self, file: str, reference: str) -> tuple[str, Any]:
        """Return where a reference leads, if that is anywhere."""
        name, _, fragment = reference.partition("#")
        root = self._names[file].get(name.removeprefix(BASE)) if name else self.documents[file]
        if root is None:
            beside = "" if name.startswith(BASE) else posixpath.dirname(file)
            file = posixpath.normpath(posixpath.join(beside, name.removeprefix(BASE))).removeprefix(".")
            root = self.documents.get(file)
        named = self._names.get(file, {}).get(f"#{fragment}")
        return file, named if named is not None else within(f"#{fragment}", root)


def _names(document: object) -> Iterator[tuple[str, object]]:
    """Yield the schemas of a document that have a name: an id, or an anchor."""
    for _, schema in _every(document, ()):
        yield from ((f"#{name}", schema) for word in _ANCHORS if isinstance(name := schema.get(word), str))
        if isinstance(name := schema.get("$id"), str):
            yield name.removeprefix(BASE).rstrip("#"), schema


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
