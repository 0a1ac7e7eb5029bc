"""Expressions over several lines stand in one kind of block, `|-`, where a caret can point into them.

One that is too long for its line is broken there before each `||`, or each `&&`, that is in no bracket.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from authz.cel.source import tokens_of
from authz.policy.formatting.places import CONDITIONS, column_of, line_of, scalars
from authz.policy.source import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authz.policy.source import Node, Scalar

WIDEST = 120
"""Columns a line may have before an expression in it is broken."""

_HEADER = re.compile(r"[|>][-+]?(?=[ \t]*(#[^\n]*)?\n)")


def broken(text: str, documents: Sequence[Node]) -> str:
    """Return a text whose expressions over several lines stand in blocks of one kind."""
    found = [
        one
        for document in documents
        for one, key, flow in scalars(document)
        if key in CONDITIONS and not flow and isinstance(one, Text)
    ]
    for scalar in sorted(found, key=lambda one: one.start, reverse=True):
        text = _written(text, scalar)
    return text


def _written(text: str, scalar: Scalar) -> str:
    if header := _HEADER.match(text, scalar.start):
        return text[: scalar.start] + "|-" + text[header.end() :]
    line = text[scalar.start - column_of(text, scalar.start) :].partition("\n")[0]
    parts = _parts(scalar)
    if "\n" in scalar.raw or len(line) <= WIDEST or len(parts) < 2:
        return text
    rest = text[scalar.end :].partition("\n")[0]
    indent = " " * (_indent(text, scalar) + 2)
    block = "|-" + rest.rstrip() + "".join(f"\n{indent}{part}" for part in parts)
    return text[: scalar.start] + block + text[scalar.end + len(rest) :]


def _indent(text: str, scalar: Scalar) -> int:
    """Return the column of the key that an expression belongs to; of an item of a list, that of its dash."""
    line = text.split("\n")[line_of(text, scalar.start)]
    head = line[: column_of(text, scalar.start)]
    key = re.match(r"[ -]*", head)
    assert key is not None  # noqa: S101 - it matches nothing too
    return len(key[0]) if ":" in head else len(head) - len(head.lstrip())


def _parts(scalar: Scalar) -> list[str]:
    """Return an expression cut before its outermost operators."""
    for operator in ("||", "&&"):
        depth, cuts, tokens = 0, [0], list(tokens_of(scalar))
        conditional = any(token.text == "?" for token in tokens)
        for token, after in zip(tokens, [*tokens[1:], None], strict=True):
            depth += (token.text in "([{") - (token.text in ")]}")
            if depth == 0 and token.text == operator[0] and after is not None and after.text == operator[0]:
                cuts.append(token.start)
        cuts = [cut for place, cut in enumerate(cuts) if place == 0 or cut != cuts[place - 1] + 1]
        if len(cuts) > 1 and not conditional:
            return [scalar[start:stop].strip() for start, stop in zip(cuts, [*cuts[1:], None], strict=True)]
    return [str(scalar)]
