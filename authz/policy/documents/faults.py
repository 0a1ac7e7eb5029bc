"""What pydantic says of a document, said so that its author can mend it.

A validation error names a path of keys; the nodes know where those are written. Keys that do not exist are told with
the key that was probably meant, values of a wrong kind with what was expected and what is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import ValidationError

from authz.errors import Fault
from authz.policy.codes import Code
from authz.policy.documents.grammar import Unfit
from authz.policy.documents.values import Part, nearest
from authz.policy.source import Boolean, Mapping, Node, Null, Number, Scalar, Sequence, Text, quoted

_EXPECTED = {"model_type": Mapping.SHOWN, "dict_type": Mapping.SHOWN, "tuple_type": Sequence.SHOWN}

MAX_UNKNOWN = 100
"""Unknown keys that are compared with a missing one."""

Path = tuple[int | str, ...]


def told(error: ValidationError, root: Mapping, model: type[Part]) -> Iterator[Fault]:
    """Yield the faults of a document that could not be validated as `model`."""
    items = error.errors(include_url=False)
    unknown = [item["loc"] for item in items if item["type"] == "extra_forbidden"][:MAX_UNKNOWN]
    for item in items:
        path = item["loc"]
        match item["type"]:
            case "value_error" if isinstance(unfit := item["ctx"]["error"], Unfit):
                yield from unfit.faults
            case "extra_forbidden":
                yield _unknown(root, model, path)
            case "missing":
                if not any(_misspelled(path, other) for other in unknown):
                    yield _missing(root, path)
            case "enum":
                yield _no_choice(root, path, item["ctx"]["expected"])
            case "too_short":
                yield from _empty(root, path)
            case kind:
                expected = item["ctx"]["class"] if kind == "is_instance_of" else _EXPECTED.get(kind, item["msg"])
                yield _wrong_kind(root, path, expected)


def place_of(root: Node, path: Path) -> tuple[Node, Node]:
    """Return what to point at (a key, or the item of a list) and the node there; steps that are no node are skipped."""
    place: Node = root
    node: Node = root
    for step in path:
        if isinstance(node, Mapping) and step in node:
            place, node = node.key(str(step)), node[str(step)]
        elif isinstance(node, Sequence) and isinstance(step, int):
            place = node = node[step]
    return place, node


def _misspelled(path: Path, other: Path) -> bool:
    """Tell whether a missing key is there under another spelling."""
    return path[:-1] == other[:-1] and bool(nearest(str(other[-1]), [str(path[-1])]))


def _missing(root: Mapping, path: Path) -> Fault:
    place, _ = place_of(root, path[:-1])
    where = f" from {quoted(place)}" if isinstance(place, Text) else ""
    return place.fault(Code.MISSING_KEY, f"{quoted(str(path[-1]))} is missing{where}")


def _unknown(root: Mapping, model: type[Part], path: Path) -> Fault:
    key = str(path[-1])
    known = keys(_part_at(model, path[:-1]))
    if number := next((one for one in known if key in {f"{one}s", one.removesuffix("s")}), ""):
        hint = f'did you mean "{number}"?'
    elif elsewhere := _home(model, key):
        hint = f"it belongs in {elsewhere}"
    elif meant := nearest(key, known):
        hint = f'did you mean "{meant}"?'
    else:
        hint = "known here: " + ", ".join(known)
    return place_of(root, path)[0].fault(Code.UNKNOWN_KEY, f"unknown key {quoted(key)}", hint=hint)


def _empty(root: Mapping, path: Path) -> Iterator[Fault]:
    """Yield the fault of an empty list; pydantic also calls a list too short when its items do not fit."""
    place, node = place_of(root, path)
    if not node and not isinstance(node, Scalar):
        yield place.fault(Code.RANGE, "the list is empty", hint="leave the key out, or fill it")


def _no_choice(root: Mapping, path: Path, expected: str) -> Fault:
    place, node = place_of(root, path)
    choices = expected.replace("'", "")
    if not isinstance(node, Scalar) or isinstance(node, Null):
        return place.fault(Code.CHOICE, f"expected {choices}, not {node.SHOWN}")
    meant = nearest(node, choices.replace(" or ", ", ").split(", "))
    hint = f'did you mean "{meant}"?' if meant else ""
    return node.fault(Code.CHOICE, f"expected {choices}, not {quoted(node)}", hint=hint)


def _wrong_kind(root: Mapping, path: Path, expected: str) -> Fault:
    place, node = place_of(root, path)
    if isinstance(node, Null) and isinstance(place, Text):
        return place.fault(Code.TYPE, f"{quoted(place)} is empty", hint=f"give {expected}, or leave the key out")
    if not isinstance(node, Scalar):
        hint = 'write "- " before it' if expected == Sequence.SHOWN else ""
        return place.fault(Code.TYPE, f"expected {expected}, not {node.SHOWN}", hint=hint)
    hints = {
        Text.SHOWN: f'write "{node}", in quotes',
        Number.SHOWN: "write digits, without quotes",
        Boolean.SHOWN: "without quotes",
        Sequence.SHOWN: "write it in brackets",
    }
    return node.fault(Code.TYPE, f"expected {expected}, not {node.SHOWN}", hint=hints.get(expected, ""))


def keys(model: type[Part]) -> dict[str, Any]:
    """Return the keys of a part as they are written, with what each may hold."""
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def parts(annotation: object) -> Iterator[type[Part]]:
    """Yield the parts that a type is made of."""
    if isinstance(annotation, type) and issubclass(annotation, Part):
        yield annotation
    for argument in get_args(annotation):
        yield from parts(argument)


def _part_at(model: type[Part], path: Path) -> type[Part]:
    for step in path:
        model = next(parts(keys(model).get(str(step))), model)
    return model


def _home(model: type[Part], key: str, path: str = "") -> str:
    """Return where else in a document the key is known, or nothing."""
    for name, annotation in keys(model).items():
        for part in parts(annotation):
            here = f"{path}.{name}".lstrip(".")
            if key in keys(part):
                return here
            if deeper := _home(part, key, here):
                return deeper
    return ""
