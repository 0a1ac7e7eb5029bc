"""JSON Schema 2020-12, compiled at load.

A schema that cannot be compiled is a fault of the policy. References lead inside the schema, or to files the caller
resolves; nothing is fetched, from the network or from the disk. Formats are checked, unknown ones are a fault. Patterns
run on an engine of linear time, so they have no look-around and no back-references. What is wrong with a body is told
by JSON Pointer and keyword; values never leave.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

import jsonschema_rs

from authz.content.circles import BASE, circle
from authz.content.json import JSONError, loads
from authz.content.keywords import misspelled
from authz.content.pointers import pointer
from authz.content.telling import Part, Reach, reaches
from authz.model import Unmet

Resolve = Callable[[str], bytes]
"""From the path of a referred file, relative to the schema, to its bytes; raises `LookupError`."""

DIALECT = "https://json-schema.org/draft/2020-12/schema"

MAX_FAULTS = 20
"""The most faults of one body that are told."""

WHOLE = "schema"
"""In place of a keyword, where it is not told which one a value breaks."""

_BUNDLE = "json-schema:///bundle"
_PATTERNS = jsonschema_rs.RegexOptions(size_limit=1 << 20, dfa_size_limit=1 << 20)


FORMATS = (
    "date", "date-time", "duration", "email", "hostname", "idn-email", "idn-hostname", "ipv4", "ipv6", "iri",
    "iri-reference", "json-pointer", "regex", "relative-json-pointer", "time", "uri", "uri-reference", "uri-template",
    "uuid",
)  # fmt: skip
"""The formats that are checked."""

Path = tuple[str | int, ...]


class SchemaError(ValueError):
    """A schema that cannot be compiled; `path` is where in it."""

    def __init__(self, message: str, path: Path = ()) -> None:
        super().__init__(message)
        self.path = path


class Validator:
    """One schema, compiled."""

    def __init__(self, compiled: jsonschema_rs.Draft202012Validator, reach: Reach) -> None:
        self._compiled = compiled
        self._reach = reach

    def unmet(self, value: object, part: str = "body") -> tuple[Unmet, ...]:
        """Return where a value does not meet the schema, in order, each place once; at most `MAX_FAULTS`.

        Of a value that is large for its schema a part is looked at; where that has no fault, the whole has one.
        """
        if self._compiled.is_valid(value):
            return ()
        looked = Part(value, self._reach)
        errors = filter(looked.tells, self._compiled.iter_errors(looked.value))
        found = sorted((pointer(_place(error)), _keyword(error)) for error in islice(errors, MAX_FAULTS))
        found = found or [("", WHOLE)]
        return tuple(Unmet(part=part, pointer=where, keyword=keyword) for where, keyword in dict.fromkeys(found))


def _place(error: jsonschema_rs.ValidationError) -> list[str | int]:
    """Return the place of an error; of what is missing, the place where it would be, whose name is the schema's."""
    path, kind = error.instance_path, error.kind
    return [*path, kind.property] if isinstance(kind, jsonschema_rs.ValidationErrorKind.Required) else path


def _keyword(error: jsonschema_rs.ValidationError) -> str:
    """Return the keyword that failed; the schema `false` has none."""
    return "false" if isinstance(error.kind, jsonschema_rs.ValidationErrorKind.FalseSchema) else error.kind.name


def compiled(schema: object, resolve: Resolve | None = None) -> Validator:
    """Return the validator of a parsed schema; raise `SchemaError` where it is no JSON Schema 2020-12."""
    if not isinstance(schema, dict | bool):
        raise SchemaError("a schema is a mapping, or true or false")
    if isinstance(schema, dict) and str(schema.get("$schema", DIALECT)).rstrip("#") != DIALECT:
        raise SchemaError(f'the schema is of another dialect than "{DIALECT}"')
    others: dict[str, object] = {}
    try:
        made = _compiled(schema, resolve, others)
    except jsonschema_rs.ValidationError as error:
        if isinstance(error.kind, jsonschema_rs.ValidationErrorKind.Referencing):
            name = error.message.partition(" is not present in a registry")[0]
            raise SchemaError(f"{name} is neither in the schema nor a file beside it") from None
        place = tuple(error.instance_path)
        raise SchemaError(f'no JSON Schema at "{pointer(place)}": {_cause(error)}', place) from None
    _check(schema, others)
    return Validator(made, reaches({**others, "": schema})(schema))


def _check(schema: dict[str, Any] | bool, others: Mapping[str, object]) -> None:
    """Raise `SchemaError` for what an engine takes without a word and binds nothing, in a schema or a file of it."""
    if (found := circle(schema, others)) is not None:
        file, path = found
        raise _at(file, path, "the schema refers to itself in a circle at {}")
    for file, document in ({**others, "": schema}).items():
        for path, keyword in misspelled(document):
            raise _at(file, path, f'unknown keyword at {{}} (did you mean "{keyword}"?)')


def _at(file: str, path: Path, message: str) -> SchemaError:
    place = f'"{pointer(path)}"' + (f" of {file}" if file else "")
    return SchemaError(message.format(place), () if file else path)


def registered(bundle: dict[str, Any]) -> Callable[[str], Validator]:
    """Return what compiles the definitions of one schema by their names; it raises `SchemaError`."""
    registry = jsonschema_rs.Registry([(_BUNDLE, bundle)], draft=jsonschema_rs.Draft202012, retriever=_nothing)
    reach = reaches({"": bundle})

    def named(name: str) -> Validator:
        place: Path = ("$defs", name)
        try:
            jsonschema_rs.meta.validate({"$schema": DIALECT, "$defs": {name: bundle["$defs"][name]}})
            return Validator(
                jsonschema_rs.Draft202012Validator(
                    {"$ref": f"{_BUNDLE}#/$defs/{name}"},
                    registry=registry,
                    validate_formats=True,
                    ignore_unknown_formats=False,
                    retriever=_nothing,
                    pattern_options=_PATTERNS,
                ),
                reach(bundle["$defs"][name]),
            )
        except jsonschema_rs.ValidationError as error:
            raise SchemaError(f"no JSON Schema: {_cause(error)}", tuple(error.instance_path) or place) from None

    return named


def _cause(error: jsonschema_rs.ValidationError) -> str:
    """Return why a schema is none, where the engine says no more than that it fits no alternative."""
    return "there is no such type" if error.instance_path[-1:] == ["type"] else error.message


def _nothing(_uri: str, /) -> Any:  # noqa: ANN401 - any JSON
    raise LookupError("there is nothing but the schema")


def _compiled(
    schema: dict[str, Any] | bool, resolve: Resolve | None, others: dict[str, object]
) -> jsonschema_rs.Draft202012Validator:
    """Return the engine's validator of a schema; `others` get the files that it refers to."""

    def retrieve(uri: str, /) -> Any:  # noqa: ANN401 - any JSON
        if resolve is None or not uri.startswith(BASE):
            raise LookupError("only files beside the schema can be referred to")
        path = uri.removeprefix(BASE)
        found = others[path] = _parsed(resolve(path))
        return found

    return jsonschema_rs.Draft202012Validator(
        schema,
        validate_formats=True,
        ignore_unknown_formats=False,
        retriever=retrieve,
        base_uri=BASE,
        pattern_options=_PATTERNS,
    )


def _parsed(content: bytes) -> object:
    try:
        return loads(content)
    except JSONError as error:
        raise LookupError(str(error)) from None
