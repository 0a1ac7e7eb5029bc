"""Just enough of CEL's grammar to find where an expression ends and which names it spells.

CEL has strings of eight forms, and braces and dots inside them mean nothing. Everything else is for the engine: what
is found here is checked again, with types, when the expression is compiled.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOKEN = re.compile(
    r"""
    (?P<skip> \s+ | //[^\n]*
      | (?:[rR][bB]?|[bB][rR]) (?: \"{3} .*? \"{3} | '{3} .*? '{3} | "[^"\n]*" | '[^'\n]*' )
      | [bB]? (?: \"{3} (?:\\.|[^\\])*? \"{3} | '{3} (?:\\.|[^\\])*? '{3}
                | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' ) )
  | (?P<name> [A-Za-z_][A-Za-z0-9_]* )
  | (?P<other> [0-9]\w* | . )
    """,
    re.VERBOSE | re.DOTALL,
)


def closing_brace(text: str, start: int) -> int | None:
    """Return the place of the `}` that ends the expression beginning at `start`, or `None`."""
    depth = 0
    for token in _TOKEN.finditer(text, start):
        if token["other"] == "{":
            depth += 1
        elif token["other"] == "}":
            if not depth:
                return token.start()
            depth -= 1
    return None


def members(source: str, name: str) -> Iterator[tuple[str, int]]:
    """Yield every `name.member` an expression spells, as the member and its place."""
    before: list[str] = ["", "", ""]
    for token in _TOKEN.finditer(source):
        if token["skip"] is None:
            if token["name"] and before[1:] == [name, "."] and before[0] != ".":
                yield token["name"], token.start()
            before = [*before[1:], token[0]]
