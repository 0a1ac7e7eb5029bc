"""Documents written in one way: keys in the order of the docs, one indentation, quotes where they are needed.

What is written is moved and never written anew: a text is changed by its lines and by the places of its nodes, so that
comments, blank lines, tables and the way an author breaks lines stay. (An emitter of YAML, also one that keeps
comments, attaches them to what stands before them and joins what stands in brackets.) What comes out is read again, and
says the same, or the text is left as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.policy.formatting.breaking import broken
from authz.policy.formatting.indenting import indented
from authz.policy.formatting.meaning import alike
from authz.policy.formatting.ordering import ordered
from authz.policy.formatting.quoting import unquoted
from authz.policy.formatting.spacing import spaced
from authz.policy.yaml import compose

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from authz.policy.source import Node

__all__ = ["formatted"]

_STEPS: tuple[Callable[[str, Sequence[Node]], str], ...] = (ordered, indented, unquoted, broken, spaced)
_MOST = 4
"""How often the steps are gone through before what they make of each other is taken for the end."""


def formatted(text: str) -> str:
    """Return a text of documents without faults as it is to be written; lines keep the ends they have."""
    plain = text.replace("\r\n", "\n")
    for _ in range(_MOST):
        before = plain
        for step in _STEPS:
            plain = _tried(step, plain)
        if plain == before:
            break
    return plain.replace("\n", "\r\n") if "\r\n" in text else plain


def _tried(step: Callable[[str, Sequence[Node]], str], text: str) -> str:
    """Return what a step makes of a text, or the text where that would not say the same."""
    read = compose("", text.encode()).documents
    made = step(text, read)
    return made if made == text or alike(read, compose("", made.encode())) else text
