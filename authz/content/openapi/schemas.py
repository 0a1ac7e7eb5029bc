"""The schemas of an OpenAPI document as one JSON Schema 2020-12, with a definition for each that is used.

OpenAPI 3.0 has a dialect of its own (`nullable`, `exclusiveMinimum: true`, a `$ref` that silences what stands beside
it); 3.1 has JSON Schema and some words more. Both become the same here. Words that do not bind (`example`, `xml`)
are dropped, numeric formats become bounds, and a word or a format that nobody knows is a flaw: it would bind nothing.
A property that is `readOnly` belongs to answers: it may not be sent, and is not required.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from authz.content.circles import circle
from authz.content.keywords import BINDING, CORE, MANY, NAMED, ONE, OPENAPI, REMARKS
from authz.content.schema import FORMATS, SchemaError, Validator, registered

if TYPE_CHECKING:
    from authz.content.openapi.document import Node, Path

_SILENT = REMARKS | OPENAPI
_ONLY_3_1 = frozenset(
    {"$comment", "$defs", "const", "contains", "contentEncoding", "contentMediaType", "contentSchema",
     "dependentRequired", "dependentSchemas", "else", "examples", "if", "maxContains", "minContains",
     "patternProperties", "prefixItems", "propertyNames", "then", "unevaluatedItems", "unevaluatedProperties"}
)  # fmt: skip
_UNFOLLOWED = CORE - {"$ref"}
_KNOWN = ONE | MANY | NAMED | BINDING | _SILENT | {"$ref"}

_BOUNDS = {f"int{bits}": (-(1 << bits - 1), (1 << bits - 1) - 1) for bits in (8, 16, 32, 64)} | {
    f"uint{bits}": (0, (1 << bits) - 1) for bits in (8, 16, 32, 64)
}
_BASE64 = {"byte": r"^[A-Za-z0-9+/]*={0,2}$", "base64url": r"^[A-Za-z0-9_-]*={0,2}$"}
_TELLING = frozenset({"binary", "char", "commonmark", "decimal", "double", "float", "html", "password"})
"""Formats that say how a value is to be taken and not what it must be."""

MAX_DEPTH = 64


class Schemas:
    """The schemas that are used, by the name of their definition."""

    def __init__(self, version: str) -> None:
        self._is_3_0 = version == "3.0"
        self._known = _KNOWN - _ONLY_3_1 if self._is_3_0 else _KNOWN
        self._names: dict[tuple[str, Path], str] = {}
        self._nodes: dict[str, Node] = {}
        self._waiting: list[Node] = []
        self.definitions: dict[str, Any] = {}

    def use(self, node: Node) -> str:
        """Return the name of the definition of a schema."""
        name = self._names.get(node.place)
        if name is None:
            name = self._names[node.place] = f"s{len(self._names)}"
            self._nodes[name] = node
            self._waiting.append(node)
        return name

    @property
    def bundle(self) -> dict[str, Any]:
        """Return the one schema, complete with all that is referred to."""
        while self._waiting:
            node = self._waiting.pop()
            self.definitions[self._names[node.place]] = self._schema(node, 0)
        return {"$defs": self.definitions}

    def validators(self) -> dict[str, Validator]:
        """Return a validator for each definition; note what cannot be compiled where it is written."""
        bundle = self.bundle
        if (found := circle(bundle)) is not None:
            self._at(found[1]).flaw("the schema refers to itself before it says anything, and would admit everything")
            return {}
        compile_ = registered(bundle)
        made: dict[str, Validator] = {}
        for name in bundle["$defs"]:
            try:
                made[name] = compile_(name)
            except SchemaError as error:
                self._at(error.path).flaw(str(error))
        return made

    def _at(self, path: tuple[str | int, ...]) -> Node:
        """Return where a part of the bundle is written, as near as it can be told."""
        node = self._nodes[str(path[1])]
        for step in path[2:]:
            node = node.get(step) or node
        return node

    def _schema(self, node: Node, depth: int) -> Any:  # noqa: ANN401 - any JSON Schema
        written = node.value
        if isinstance(written, bool):
            return written
        if not isinstance(written, dict):
            node.flaw("a schema is a mapping")
            return False
        if depth > MAX_DEPTH:
            node.flaw(f"more than {MAX_DEPTH} schemas inside one another")
            return False
        if "$ref" in written and self._is_3_0:
            return self._reference(node)
        self._discriminated(node)
        made: dict[str, Any] = {}
        for word, part in node.items():
            made |= self._word(node, word, part, depth + 1)
        return self._adapted(node, made)

    def _word(self, node: Node, word: str, part: Node, depth: int) -> dict[str, Any]:
        if word in _UNFOLLOWED:
            part.flaw(f'"{word}" is not followed here', "refer to schemas by their path: #/components/schemas/Order")
        elif word == "$ref":
            return self._reference(node)
        elif word not in self._known and not word.startswith("x-"):
            part.flaw(f'unknown word "{word}" in a schema', known=tuple(sorted(self._known)))
        elif word in ONE:
            return {word: self._schema(part, depth)}
        elif word in MANY:
            return {word: [self._schema(each, depth) for each in node.elements(word)]}
        elif word in NAMED:
            return {word: {name: self._property(word, each, depth) for name, each in part.items()}}
        elif word in BINDING:
            return {word: part.value}
        return {}

    def _reference(self, node: Node) -> dict[str, Any]:
        reference = node.value["$ref"]
        if not isinstance(reference, str):
            node.flaw('"$ref" is a text')
            return {"not": {}}
        found = node.document.find(node, reference)
        return {"not": {}} if found is None else {"$ref": f"#/$defs/{self.use(found)}"}

    def _property(self, word: str, node: Node, depth: int) -> Any:  # noqa: ANN401 - any JSON Schema
        return False if word == "properties" and _is_read_only(node) else self._schema(node, depth)

    def _adapted(self, node: Node, made: dict[str, Any]) -> dict[str, Any]:
        """Return a schema without what JSON Schema 2020-12 does not know."""
        if isinstance(required := made.get("required"), list):
            silent = [name for name, each in made.get("properties", {}).items() if each is False]
            made["required"] = [name for name in required if name not in silent]
        if self._is_3_0:
            self._from_3_0(node, made)
        self._format(node, made)
        return made

    def _from_3_0(self, node: Node, made: dict[str, Any]) -> None:
        for word, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
            exclusive = made.pop(word, False)
            if not isinstance(exclusive, bool):
                node.flaw(f'"{word}" is true or false in OpenAPI 3.0')
            elif exclusive and bound in made:
                made[word] = made.pop(bound)
        if isinstance(made.get("type"), list):
            node.flaw('"type" is one word in OpenAPI 3.0', "write nullable: true for null")
        elif node.flag("nullable") and "type" in made:
            made["type"] = [made["type"], "null"]

    def _format(self, node: Node, made: dict[str, Any]) -> None:
        word = str(made.pop("format", "binary"))
        if word in _TELLING:
            return
        if word in _BOUNDS:
            low, high = _BOUNDS[word]
            made.setdefault("allOf", []).append({"minimum": low, "maximum": high})
        elif word in _BASE64:
            made.setdefault("allOf", []).append({"pattern": _BASE64[word]})
        elif word in FORMATS:
            made["format"] = word
        else:
            known = tuple(sorted({*FORMATS, *_BOUNDS, *_BASE64, *_TELLING}))
            where = node.get("format") or node
            where.flaw(f'the format "{word}" is not known here', 'leave it out, or say it with "pattern"', known)

    def _discriminated(self, node: Node) -> None:
        """Note a discriminator that would choose a schema by itself; beside alternatives it only says which one."""
        discriminator = node.get("discriminator")
        if discriminator is None:
            return
        discriminator.only(frozenset({"mapping", "propertyName"})).needed("propertyName")
        if not node.value.keys() & {"oneOf", "anyOf"}:
            hint = "list the schemas that inherit from this one under oneOf"
            discriminator.flaw("a discriminator without oneOf or anyOf: what inherits would not be checked", hint)
        for _, mapped in discriminator.members("mapping"):
            target = str(mapped.value)
            plain = "/" not in target and "." not in target
            node.document.find(mapped, f"#/components/schemas/{target}" if plain else target)


def _is_read_only(node: Node) -> bool:
    own = node.value.get("readOnly") if isinstance(node.value, dict) else False
    found = node.resolved()
    return own is True or (found is not None and isinstance(found.value, dict) and found.value.get("readOnly") is True)
