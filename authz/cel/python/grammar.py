"""The parser: `cel-python`'s grammar, with the syntax for optionals that it lacks.

The grammar is data of that package and is read once, from where it is installed. If a future one does not have the
lines that are extended here, it stays as it is.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import lark

from authz.cel.faults import Code, CompileError, CompileFault
from authz.cel.names import unexpected

if TYPE_CHECKING:
    from collections.abc import Mapping

_EXTENSIONS: Mapping[str, str] = {
    r"^member         : member_dot": (
        'member_optional_dot : member ".?" IDENT\n'
        'member_optional_index : member "[?" expr "]"\n'
        "member         : member_optional_dot | member_optional_index | member_dot"
    ),
}
"""`a.?b` and `a[?b]`."""


def parse(text: str) -> lark.Tree[lark.Token]:
    """Return the parse tree of an expression; raise `CompileError` where its syntax is wrong."""
    try:
        return _parser().parse(text)
    except lark.exceptions.UnexpectedCharacters as error:
        raise CompileError([_unexpected(text[error.pos_in_stream :], error.line, error.column)]) from None
    except lark.exceptions.UnexpectedToken as error:
        found = "" if error.token.type == "$END" else str(error.token)
        line, column = (error.line, error.column) if found else _end(text)
        raise CompileError([unexpected(found, line=line, column=column)]) from None
    except (lark.exceptions.LarkError, RecursionError):
        raise CompileError([CompileFault(code=Code.SYNTAX, message="the expression cannot be parsed")]) from None


def _unexpected(rest: str, line: int, column: int) -> CompileFault:
    word = re.match(r"\w+|\S", rest)
    return unexpected(word[0] if word else "", line=line, column=column)


def _end(text: str) -> tuple[int, int]:
    return text.count("\n") + 1, len(text) - text.rfind("\n")


@cache
def _parser() -> lark.Lark:
    grammar = files("celpy").joinpath("cel.lark").read_text()
    for pattern, extended in _EXTENSIONS.items():
        grammar = re.sub(pattern, extended, grammar, flags=re.MULTILINE)
    return lark.Lark(
        grammar,
        parser="lalr",
        start="expr",
        g_regex_flags=re.MULTILINE,
        lexer_callbacks={"IDENT": _word},
        propagate_positions=True,
        maybe_placeholders=False,
        priority="invert",
    )


def _word(token: lark.Token) -> lark.Token:
    """Return a name, or the bool literal it is; the grammar leaves the two apart to its user."""
    return lark.Token.new_borrow_pos("BOOL_LIT", token.value, token) if token in {"true", "false"} else token
