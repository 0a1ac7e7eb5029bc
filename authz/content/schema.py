"""JSON Schema 2020-12, compiled at load.

A schema that cannot be compiled is a fault of the policy. References lead inside the schema, or to files the caller
resolves; nothing is fetched, from the network or from the disk. Formats are checked, unknown ones are a fault. Patterns
run on an engine of linear time, so they have no look-around and no back-references. What is wrong with a body is told
by JSON Pointer and keyword; values never leave.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import islice
from typing import Any

import jsonschema_rs

from authz.content.json import JSONError, loads
from authz.content.texts import TextsValidator, kinds
from authz.model import Unmet

Resolve = Callable[[str], bytes]
"""From the path of a referred file, relative to the schema, to its bytes; raises `LookupError`."""

DIALECT = "https://json-schema.org/draft/2020-12/schema"

MAX_FAULTS = 20
"""The most faults of one body that are told."""

MAX_NAME = 100
"""The most characters of one name in a pointer."""

_BASE = "json-schema:///"
_PATTERNS = jsonschema_rs.RegexOptions(size_limit=1 << 20, dfa_size_limit=1 << 20)


class SchemaError(ValueError):
    """A schema that cannot be compiled."""


class Validator:
    """One schema, compiled."""

    def __init__(self, compiled: jsonschema_rs.Draft202012Validator) -> None:
        self._compiled = compiled

    def unmet(self, value: object, part: str = "body") -> tuple[Unmet, ...]:
        """Return where a value does not meet the schema, in order, each place once; at most `MAX_FAULTS`."""
        if self._compiled.is_valid(value):
            return ()
        errors = islice(self._compiled.iter_errors(value), MAX_FAULTS)
        found = sorted((pointer(_place(error)), _keyword(error.schema_path)) for error in errors)
        return tuple(Unmet(part=part, pointer=where, keyword=keyword) for where, keyword in dict.fromkeys(found))


def _place(error: jsonschema_rs.ValidationError) -> list[str | int]:
    """Return the place of an error; of what is missing, the place where it would be, whose name is the schema's."""
    path, kind = error.instance_path, error.kind
    return [*path, kind.property] if isinstance(kind, jsonschema_rs.ValidationErrorKind.Required) else path


def _keyword(path: Sequence[str | int]) -> str:
    """Return the keyword that failed; the schema `false` has none."""
    return next((step for step in reversed(path) if isinstance(step, str)), "false")


class SchemaValidators:
    """Compiles schemas (the `BodyValidators` of policies)."""

    def compile(self, schema: object, resolve: Resolve | None = None) -> Validator:
        """Return the validator of a parsed schema; raise `SchemaError` where it is no JSON Schema 2020-12."""
        return Validator(self._compiled(schema, resolve))

    def compile_texts(self, schema: object, part: str, resolve: Resolve | None = None) -> TextsValidator:
        """Return the validator of named texts (a query, a form, headers, path parameters) against an object schema."""
        compiled = self.compile(schema, resolve)
        try:
            return TextsValidator(part, kinds(schema), partial(compiled.unmet, part=part))
        except LookupError as error:
            raise SchemaError(str(error)) from None

    def _compiled(self, schema: object, resolve: Resolve | None) -> jsonschema_rs.Draft202012Validator:
        if not isinstance(schema, dict | bool):
            raise SchemaError("a schema is a mapping, or true or false")
        if isinstance(schema, dict) and str(schema.get("$schema", DIALECT)).rstrip("#") != DIALECT:
            raise SchemaError(f'the schema is of another dialect than "{DIALECT}"')
        try:
            return _compiled(schema, resolve)
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
    """Return a path as JSON Pointer (RFC 6901); a long name is cut."""
    return "".join("/" + str(step)[:MAX_NAME].replace("~", "~0").replace("/", "~1") for step in path)
