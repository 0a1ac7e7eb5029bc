"""Just enough of an expression's text to find where it ends and which names it spells.

CEL has strings of many forms, and braces and dots inside them mean nothing. Everything else is for the engine: what is
found here is checked again, with types, when the expression is compiled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.cel.source import tokens_of

if TYPE_CHECKING:
    from collections.abc import Iterator


def closing_brace(text: str, start: int) -> int | None:
    """Return the place of the `}` that ends the expression beginning at `start`, or `None`."""
    depth = 0
    for token in tokens_of(text[start:]):
        if token.text == "{":
            depth += 1
        elif token.text == "}":
            if not depth:
                return start + token.start
            depth -= 1
    return None


def members(source: str, name: str) -> Iterator[str]:
    """Yield the member of every `name.member` an expression spells."""
    before = ("", "", "")
    for token in tokens_of(source):
        if token.is_name and before[1:] == (name, ".") and before[0] != ".":
            yield token.text
        before = (before[1], before[2], token.text)
