"""Keys in the order of the docs: the models', or one told here. Mappings in brackets keep theirs: they are short.

A key moves with its lines and the comments above it; what is above a list's item belongs to the item.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from authz.policy.documents import KINDS, GuardrailSpec, PolicySpec
from authz.policy.documents.tests import Case, PolicyTestSpec, Step
from authz.policy.documents.values import Part
from authz.policy.formatting.places import column_of, end, is_flow, is_remark, line_of
from authz.policy.reading import TESTS
from authz.policy.source import Mapping
from authz.policy.source import Sequence as List
from authz.policy.yaml import compose

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from authz.policy.source import Node

Models = tuple[type[Part], ...]

_GOVERNING = (
    "description", "mode", "match", "encoded_slashes", "path_parameters", "identity", "cors", "variables",
    "descriptors", "validate", "rules", "limits",
)  # fmt: skip
_CASE = ("name", "now", "faults", "data", "after", "request", "as", "repeat", "every", "expect", "steps")
_TESTS = ("description", "now", "identities", "requests", "data", "matrix", "cases")
_TOLD: dict[type[Part], tuple[str, ...]] = {
    PolicySpec: _GOVERNING,
    GuardrailSpec: _GOVERNING,
    PolicyTestSpec: _TESTS,
    Case: _CASE,
    Step: tuple(key for key in _CASE if key not in {"name", "now", "data", "steps"}),
}
"""Orders that differ from the models': which requests, who, what is known, what must be, how often."""


def ordered(text: str, documents: Sequence[Node]) -> str:
    """Return a text with the keys of every mapping in order."""
    passed: set[int] = set()
    while (found := _first(documents, passed)) is not None:
        mapping, keys, first = found
        passed.add(mapping.start)
        moved = _moved(text, mapping, keys, first=first)
        if moved is not None:
            text, passed = moved, passed if moved == text else set()
            documents = compose("", text.encode()).documents
    return text


def _first(documents: Sequence[Node], passed: set[int]) -> tuple[Mapping, list[str], bool] | None:
    """Return a mapping whose keys are not in order, their order, and whether it is a whole document."""
    for document in documents:
        kind = document.get("kind") if isinstance(document, Mapping) else None
        model = {**KINDS, **TESTS}.get(str(kind))
        for mapping, models in _walk(document, (model,) if model else ()):
            keys = _order(mapping, models)
            if keys != list(mapping) and mapping.start not in passed:
                return mapping, keys, mapping is document
    return None


def _walk(node: Node, models: Models) -> Iterator[tuple[Mapping, Models]]:
    """Yield every mapping in lines that has a model, inner ones first."""
    if isinstance(node, List):
        for item in node:
            yield from _walk(item, models)
    if not isinstance(node, Mapping):
        return
    fields = _fields(node, models)
    for key, value in node.items():
        yield from _walk(value, _models(fields[key]) if key in fields else ())
    if fields and not is_flow(node):
        yield node, models


def _fields(node: Mapping, models: Models) -> dict[str, Any]:
    """Return the types of the keys of the model that a mapping is of, in order."""
    for model in models:
        fields = {field.alias or name: field.annotation for name, field in model.model_fields.items()}
        if node.keys() <= fields.keys():
            return {key: fields[key] for key in _TOLD.get(model, tuple(fields)) if key in fields}
    return {}


def _models(annotation: object) -> Models:
    """Return the models that a type speaks of."""
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return (annotation,)
    return tuple(model for argument in get_args(annotation) for model in _models(argument))


def _order(mapping: Mapping, models: Models) -> list[str]:
    return [key for key in _fields(mapping, models) if key in mapping]


def _moved(text: str, mapping: Mapping, wanted: list[str], *, first: bool) -> str | None:
    """Return the text with the keys of one mapping moved; nothing where that would part a comment from its key."""
    lines = text.split("\n")
    keys = {str(key): key for key in mapping.written()}
    starts = [line_of(text, key.start) for key in keys.values()]
    column = column_of(text, mapping.start)
    prefix = lines[starts[0]][:column]
    in_list = bool(prefix.strip())
    lines[starts[0]] = " " * column + lines[starts[0]][column:]
    ends = [line_of(text, end(mapping[name])) for name in keys]
    above = [starts[0] if first or in_list else _above(lines, starts[0], -1)]
    above += [_above(lines, start, before) for start, before in zip(starts[1:], ends, strict=False)]
    bounds = [*above, max(ends[-1], starts[-1]) + 1]
    chunks = {name: lines[bounds[place] : bounds[place + 1]] for place, name in enumerate(keys)}
    made = [line for name in wanted for line in chunks[name]]
    if in_list:
        if is_remark(made[0]):
            return None
        made[0] = prefix + made[0][column:]
    return "\n".join([*lines[: bounds[0]], *made, *lines[bounds[-1] :]])


def _above(lines: list[str], start: int, before: int) -> int:
    """Return the first of the comments directly above a line, behind another one."""
    indent = len(lines[start]) - len(lines[start].lstrip())
    while start - 1 > before and lines[start - 1].strip() and is_remark(lines[start - 1]):
        if len(lines[start - 1]) - len(lines[start - 1].lstrip()) != indent:
            break
        start -= 1
    return start
