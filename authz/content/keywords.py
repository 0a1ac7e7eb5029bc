"""The keywords of JSON Schema 2020-12, by what stands under them; and words that are nearly one.

JSON Schema takes a word it does not know for a remark. A remark is free; `minLenght` is none: it was to bind, and binds
nothing. So a word that is nearly a keyword is an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

ONE = frozenset(
    {"additionalProperties", "contains", "contentSchema", "else", "if", "items", "not", "propertyNames", "then",
     "unevaluatedItems", "unevaluatedProperties"}
)  # fmt: skip
"""Under these stands a schema."""

MANY = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
"""Under these, a list of schemas."""

NAMED = frozenset({"$defs", "dependentSchemas", "patternProperties", "properties"})
"""Under these, schemas by name."""

BINDING = frozenset(
    {"const", "contentEncoding", "contentMediaType", "dependentRequired", "enum", "exclusiveMaximum",
     "exclusiveMinimum", "format", "maxContains", "maxItems", "maxLength", "maxProperties", "maximum", "minContains",
     "minItems", "minLength", "minProperties", "minimum", "multipleOf", "pattern", "required", "type", "uniqueItems"}
)  # fmt: skip
"""Under these, what a value must be."""

REMARKS = frozenset({"$comment", "default", "deprecated", "description", "examples", "readOnly", "title", "writeOnly"})
"""What stands under these binds nothing."""

OPENAPI = frozenset({"discriminator", "example", "externalDocs", "nullable", "xml"})
"""What OpenAPI adds; to JSON Schema these are remarks."""

CORE = frozenset({"$anchor", "$dynamicAnchor", "$dynamicRef", "$id", "$ref", "$schema", "$vocabulary"})

ALL = ONE | MANY | NAMED | BINDING | REMARKS | CORE

_NEAR = 0.82

Path = tuple[str | int, ...]


def misspelled(schema: object) -> Iterator[tuple[Path, str]]:
    """Yield the path of every word that is nearly a keyword, and the keyword."""
    waiting: list[tuple[Path, object]] = [((), schema)]
    while waiting:
        path, found = waiting.pop()
        if not isinstance(found, dict):
            continue
        for word, part in found.items():
            if word in ALL:
                waiting.extend(_below((*path, word), word, part))
            elif word not in OPENAPI and (meant := get_close_matches(word, ALL, n=1, cutoff=_NEAR)):
                yield (*path, word), meant[0]


def _below(path: Path, word: str, part: object) -> Iterator[tuple[Path, object]]:
    """Yield the schemas that stand under a keyword."""
    if word in ONE:
        yield path, part
    elif word in MANY and isinstance(part, list):
        yield from (((*path, index), each) for index, each in enumerate(part))
    elif word in NAMED and isinstance(part, dict):
        yield from (((*path, name), each) for name, each in part.items())
