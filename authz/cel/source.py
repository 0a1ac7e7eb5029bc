"""The text of an expression, read as tokens before an engine sees it.

Only what no engine can be told is done here: `now()` has no argument, which one engine cannot declare, so the call is
blanked to the name `now` (every character keeps its place); and `has(request.method)` of a whole variable, which an
engine reads as the variable itself, is found so that it can be refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from authz.cel.faults import Code, CompileError, CompileFault

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_LENGTH = 10_000
"""Characters an expression may have."""

NOW = "now"
"""The name that stands for a call of `now()`."""

_QUOTED = r"""{0}\"\"\"(?s:{1})*?\"\"\"|{0}'''(?s:{1})*?'''|{0}"(?:{2}|[^"\\\n])*"|{0}'(?:{2}|[^'\\\n])*'"""
_RAW = _QUOTED.format("(?:[rR][bB]?|[bB][rR])", ".", r"\\")
_COOKED = _QUOTED.format("[bB]?", r"\\.|[^\\]", r"\\.")
_TOKEN = re.compile(
    rf"(?P<skipped>\s+|//[^\n]*)|(?P<text>{_RAW}|{_COOKED})|(?P<name>[A-Za-z_]\w*)|(?P<other>\d[\w.]*|.)"
)


class Token(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One token: its text, whether it is a name, and its offset in code points."""

    text: str
    is_name: bool
    start: int


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """An expression as an engine gets it.

    `text` is as long as what the author wrote. `now` are the offsets of calls of `now()`. `presence` are the dotted
    names that stand alone in a `has(...)`, with their offsets.
    """

    text: str
    now: frozenset[int] = frozenset()
    presence: tuple[tuple[str, int], ...] = ()


def read(written: str) -> Source:
    """Return an expression as an engine gets it; raise `CompileError` if it is too long to be looked at."""
    if len(written) > MAX_LENGTH:
        message = f"the expression has {len(written)} characters, {MAX_LENGTH} are allowed"
        raise CompileError([CompileFault(code=Code.SIZE, message=message)])
    if NOW not in written and "has" not in written:
        return Source(text=written)
    tokens = tuple(tokens_of(written))
    blanked = list(written)
    now = set()
    for first, opening, closing in _calls_of_now(tokens):
        now.add(first.start)
        blanked[opening.start] = blanked[closing.start] = " "
    return Source(text="".join(blanked), now=frozenset(now), presence=tuple(_presence(tokens)))


def tokens_of(written: str) -> Iterator[Token]:
    """Yield the tokens of an expression, without blanks and comments; text literals are one token each."""
    for match in _TOKEN.finditer(written):
        if match.lastgroup != "skipped":
            yield Token(text=match[0], is_name=match.lastgroup == "name", start=match.start())


def token_length(written: str, offset: int) -> int:
    """Return the length of the token at an offset."""
    token = _TOKEN.match(written, offset)
    return len(token[0]) if token else 1


def _calls_of_now(tokens: tuple[Token, ...]) -> Iterator[tuple[Token, Token, Token]]:
    before = ""
    for index, token in enumerate(tokens):
        call = tokens[index : index + 3]
        if [part.text for part in call] == [NOW, "(", ")"] and before != ".":
            yield call[0], call[1], call[2]
        before = token.text


def _presence(tokens: tuple[Token, ...]) -> Iterator[tuple[str, int]]:
    for index, token in enumerate(tokens[:-2]):
        if token.text == "has" and tokens[index + 1].text == "(":
            path = _dotted(tokens, index + 2)
            after = index + 2 + len(path)
            if path and after < len(tokens) and tokens[after].text == ")":
                yield "".join(part.text for part in path), path[0].start


def _dotted(tokens: tuple[Token, ...], start: int) -> tuple[Token, ...]:
    """Return the tokens of the dotted name that begins at `start`."""
    end = start
    while end < len(tokens) and (tokens[end].is_name if (end - start) % 2 == 0 else tokens[end].text == "."):
        end += 1
    return tokens[start:end]
