"""Whether two texts say the same: the same documents, whatever the order of keys and the blanks in an expression."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.cel.source import tokens_of
from authz.policy.formatting.places import CONDITIONS
from authz.policy.source import Mapping, Scalar
from authz.policy.source import Sequence as List

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authz.policy.source import Node
    from authz.policy.yaml import Composed


def alike(before: Sequence[Node], after: Composed) -> bool:
    """Tell whether the documents of a text are those of another one, which is without faults."""
    return not after.faults and list(map(_said, before)) == list(map(_said, after.documents))


def _said(node: Node, key: str = "") -> object:
    if isinstance(node, Mapping):
        return {name: _said(value, "when" if key == "variables" else name) for name, value in node.items()}
    if isinstance(node, List):
        return [_said(item, key) for item in node]
    assert isinstance(node, Scalar)  # noqa: S101 - there is nothing else
    said = tuple(token.text for token in tokens_of(node)) if key in CONDITIONS else (str(node),)
    return type(node), said
