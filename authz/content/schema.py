"""JSON Schema 2020-12, compiled at load.

A schema that cannot be compiled is a fault of the policy. References lead inside the schema, or to files the caller
resolves; nothing is fetched, from the network or from the disk. Formats are checked, unknown ones are a fault. Patterns
run on an engine of linear time, so they have no look-around and no back-references. What is wrong with a body is told
by JSON Pointer and keyword; values never leave.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any

import jsonschema_rs

from authz.content.json import JSONError, loads

Resolve = Callable[[str], bytes]
"""From the path of a referred file, relative to the schema, to its bytes; raises `LookupError`."""

DIALECT = "https://json-schema.org/draft/2020-12/schema"

MAX_FAULTS = 20
"""The most faults of one body that are told."""

_BASE = "json-schema:///"
_PATTERNS = jsonschema_rs.RegexOptions(size_limit=1 << 20, dfa_size_limit=1 << 20)


class SchemaError(ValueError):
    """A schema that cannot be compiled."""


class Validator:
    """One schema, compiled."""

    def __init__(self, compiled: jsonschema_rs.Draft202012Validator) -> None:
        self._compiled = compiled

    def validate(self, value: object) -> tuple[str, ...]:
        """Return where a value does not meet the schema, as JSON Pointers (RFC 6901) in order; at most `MAX_FAULTS`."""
        return tuple(dict.fromkeys(where for where, _ in self._errors(value)))

    def fault(self, value: object) -> str | None:
        """Return the first thing that is wrong with a value, for the operator, or `None`."""
        for where, keyword in self._errors(value):
            return f'"{where}" does not meet "{keyword}"'
        return None

    def _errors(self, value: object) -> list[tuple[str, str]]:
        if self._compiled.is_valid(value):
            return []
        errors = islice(self._compiled.iter_errors(value), MAX_FAULTS)
        return sorted((pointer(error.instance_path), _keyword(error.schema_path)) for error in errors)


def _keyword(path: Sequence[str | int]) -> str:
    """Return the keyword that failed; the schema `false` has none."""
    return next((step for step in reversed(path) if isinstance(step, str)), "false")


class SchemaValidators:
    """Compiles schemas (the `BodyValidators` of policies)."""

    def compile(self, schema: object, resolve: Resolve | None = None) -> Validator:
        """Return the validator of a parsed schema; raise `SchemaError` where it is no JSON Schema 2020-12."""
        if not isinstance(schema, dict | bool):
            raise SchemaError("a schema is a mapping, or true or false")
        if isinstance(schema, dict) and str(schema.get("$schema", DIALECT)).rstrip("#") != DIALECT:
            raise SchemaError(f'the schema is of another dialect than "{DIALECT}"')
        try:
            return Validator(_compiled(schema, resolve))
        except jsonschema_rs.ValidationError as error:
            if isinstance(error.kind, jsonschema_rs.ValidationErrorKind.Referencing):
                name = error.message.partition(" is not present in a registry")[0]
                raise SchemaError(f"{name} is neither in the schema nor a file beside it") from None
            raise SchemaError(f'no JSON Schema at "{pointer(error.instance_path)}": {error.message}') from None


def _compiled(schema: dict[str, Any] | bool, resolve: Resolve | None) -> jsonschema_rs.Draft202012Validator:
    def retrieve(uri: str, /) -> Any:  # noqa: ANN401 - any JSON
        if resolve is None or not uri.startswith(_BASE):
            raise LookupError("only files beside the schema can be referred to")
        return _parsed(resolve(uri.removeprefix(_BASE)))

    return jsonschema_rs.Draft202012Validator(
        schema,
        validate_formats=True,
        ignore_unknown_formats=False,
        retriever=retrieve,
        base_uri=_BASE,
        pattern_options=_PATTERNS,
    )


def _parsed(content: bytes) -> object:
    try:
        return loads(content)
    except JSONError as error:
        raise LookupError(str(error)) from None


def pointer(path: Iterable[str | int]) -> str:
    """Return a path as JSON Pointer; what is not printable ASCII is escaped, and a long name is cut."""
    steps = (str(step).replace("~", "~0").replace("/", "~1") for step in path)
    return "".join("/" + step[:100].encode("unicode_escape").decode("ascii").replace('"', '\\"') for step in steps)
