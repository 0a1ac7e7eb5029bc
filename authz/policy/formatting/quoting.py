"""Quotes only where a text would be read as something else without them, by any reader of YAML or by a person.

Signs that begin something elsewhere in YAML keep their quotes (`"/v1/**"`), and so do all items of a list in brackets
of which one needs them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from authz.policy.formatting.places import CONDITIONS, is_flow, scalars
from authz.policy.source import Mapping, Scalar, Text
from authz.policy.source import Sequence as List
from authz.policy.yaml import compose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from authz.policy.source import Node


_SIGNS = frozenset("*&!|>{}[]#?%@`,\"'")
"""What a person would have to think about outside of quotes; an expression of its own is read as one."""


def unquoted(text: str, documents: Sequence[Node]) -> str:
    """Return a text without the quotes that it does not need."""
    kept = {id(item) for document in documents for item in _needed_by_others(document)}
    found = [
        one
        for document in documents
        for one, key, flow in scalars(document)
        if _bare(one, flow=flow) and (key in CONDITIONS or not _SIGNS & set(one))
    ]
    for scalar in sorted(found, key=lambda one: one.start, reverse=True):
        if id(scalar) not in kept:
            text = text[: scalar.start] + scalar + text[scalar.end :]
    return text


def _needed_by_others(node: Node) -> Iterator[Scalar]:
    """Yield the items of lists in brackets of which another one needs its quotes."""
    if isinstance(node, Scalar):
        return
    children = list(node.values() if isinstance(node, Mapping) else node)
    quoted = [child for child in children if isinstance(child, Scalar) and child.raw[:1] in {'"', "'"}]
    if isinstance(node, List) and is_flow(node) and not all(map(_needless, quoted)):
        yield from quoted
    for child in children:
        yield from _needed_by_others(child)


def _needless(scalar: Scalar) -> bool:
    return _bare(scalar, flow=True) and not _SIGNS & set(scalar)


def _bare(scalar: Scalar, *, flow: bool) -> bool:
    """Tell whether a quoted text on one line reads the same without its quotes."""
    if scalar.raw[:1] not in {'"', "'"} or "\n" in scalar.raw or not scalar.isprintable():
        return False
    resolve: Callable[..., str] = yaml.SafeLoader("").resolve
    if resolve(yaml.ScalarNode, str(scalar), (True, False)) != "tag:yaml.org,2002:str":
        return False
    around = "[{}, {{k: {}}}]\n" if flow else "- {}\n- k: {}\n"
    read = compose("", around.format(scalar, scalar).encode())
    said = [one for document in read.documents for one, _, _ in scalars(document)]
    return not read.faults and len(said) == 2 and all(isinstance(one, Text) and one == scalar for one in said)
