"""What remains of a document at fault when what is at fault is taken out.

Nobody should have to mend a misspelled key to be told of the misspelled variable below it. So the rest of a broken
policy is compiled too, for its faults alone: nothing of it is ever served. What is taken out must not make a fault
of what depends on it: an author who mends one fault would find the other gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, cast

from pydantic import ValidationError

from authz.policy.documents.values import nearest
from authz.policy.source import Mapping, Node, Sequence, Text
from authz.policy.yaml import compose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz.policy.documents import Document

D = TypeVar("D", bound="Document")

_Path = tuple[int | str, ...]
_Step = tuple[Mapping | Sequence, int | str]

_EVERYTHING = compose("", b'match: [{paths: ["/**"]}]').documents[0]
_ROUNDS = 8
_MOST = 100
"""Faults of one document; one with more is not worth another look."""

_WITHOUT = {("metadata",), ("metadata", "name"), ("spec",), ("spec", "descriptors"), ("spec", "variables")}
_RELIED_ON = ("variables", "descriptors", "identity")


def remains(root: Mapping, model: type[D], error: ValidationError) -> D | None:
    """Return what remains of a document that could not be validated, `None` where too little does.

    The node is taken apart: whoever needs it whole has to look before.
    """
    for _ in range(_ROUNDS):
        if error.error_count() > _MOST:
            return None
        found = [(item["type"], item["loc"]) for item in error.errors(include_url=False, include_input=False)]
        if any(_is_too_much(kind, path) for kind, path in found):
            return None
        _take([step for kind, path in found for step in _at_fault(root, kind, path)])
        try:
            return model.model_validate(root, context=[])
        except ValidationError as again:
            error = again
    return None


def _is_too_much(kind: str, path: _Path) -> bool:
    """Tell whether everything else could be at fault because this is: what is missing may be there, misspelled."""
    meant = nearest(str(path[-1]), (*_RELIED_ON, "description")) if kind == "extra_forbidden" else ""
    return (len(path) == 2 and meant in _RELIED_ON) or path in _WITHOUT or path[:2] == ("spec", "descriptors")


def _at_fault(root: Mapping, kind: str, path: _Path) -> Iterator[_Step]:
    """Yield where something has to go for the sake of one fault, and put in what others rely on."""
    spec = root["spec"]
    steps = list(_steps(root, path))
    if isinstance(spec, Mapping) and path[:2] in {("spec", "match"), ("spec", "identity")}:
        yield spec, "validate"  # what it says of captures and providers could not be judged
        if path[1] == "identity":
            yield spec, "identity"
        elif isinstance(_EVERYTHING, Mapping):
            spec.update(_EVERYTHING)
    elif (relied := next((step for step in steps if _is_relied_on(step, path)), None)) is not None:
        _stand_in(*relied)
    elif kind == "missing":
        yield next((step for step in reversed(steps) if isinstance(step[0], Sequence)), steps[-1])
    else:
        yield steps[-1]


def _is_relied_on(step: _Step, path: _Path) -> bool:
    """Tell whether something stands in for what is at fault: variables are read, and a limit says more than a rate."""
    node, name = step
    is_variable = path[:2] == ("spec", "variables") and len(path) == 3 and name == path[2]
    return isinstance(node, Mapping) and (is_variable or (path[:2] == ("spec", "limits") and name == "rate"))


def _stand_in(node: Mapping | Sequence, name: int | str) -> None:
    """Put a variable that may be anything, or a rate, in the place of one at fault."""
    if isinstance(node, Mapping):
        place = node.key(str(name))
        node[str(name)] = Text.at("1/second" if name == "rate" else "dyn(null)", place.source, place.start, place.end)


def _steps(root: Node, path: _Path) -> Iterator[_Step]:
    """Yield the mappings and lists on the way, each with the step taken in it; what is no step of a node is skipped."""
    node = root
    for step in path:
        is_there = step in node if isinstance(node, Mapping) else isinstance(node, Sequence) and isinstance(step, int)
        if is_there:
            yield cast("_Step", (node, step))
            node = cast("Node", node[step])  # type: ignore[index] # just looked


def _take(steps: list[_Step]) -> None:
    """Take out what is at fault; of a list the last first, so that places stay what they are."""
    unique = {(id(node), step): (node, step) for node, step in steps}
    for node, step in sorted(unique.values(), key=lambda one: one[1] if isinstance(one[1], int) else 0, reverse=True):
        if isinstance(node, Mapping):
            node.pop(str(step), None)
        elif isinstance(step, int):
            del node[step]
