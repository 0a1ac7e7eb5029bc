"""Looking into the parse trees of `cel-python`: what is below a rule, which name it is, where it stands."""

from __future__ import annotations

from lark import Token, Tree

Parse = Tree[Token]

LEAVES = frozenset(
    ("ident", "dot_ident", "ident_arg", "dot_ident_arg", "literal", "list_lit", "map_lit", "member_object")
)
"""Rules that mean something although they may have a single child; of any other, that child is meant."""


def trees(parse: Parse) -> list[Parse]:
    """Return the subtrees directly below one."""
    return [child for child in parse.children if isinstance(child, Tree)]


def operands(parse: Parse) -> list[Parse]:
    """Return the arguments of a call or the elements of a list."""
    last = parse.children[-1] if parse.children else None
    return trees(last) if isinstance(last, Tree) and last.data == "exprlist" else []


def path_of(parse: Parse) -> tuple[Token, ...] | None:
    """Return the names of a dotted name, or `None` for anything else."""
    names: list[Token] = []
    while True:
        while parse.data not in {"ident", "dot_ident", "member_dot"}:
            if len(parse.children) != 1 or not isinstance(parse.children[0], Tree) or parse.data == "paren_expr":
                return None
            parse = parse.children[0]
        names.append(parse.children[-1])  # type: ignore[arg-type]  # the grammar has a token there
        if parse.data != "member_dot":
            return tuple(reversed(names))
        parse = parse.children[0]  # type: ignore[assignment]  # and a tree there


def start(parse: Parse) -> int:
    """Return the offset at which a parse begins."""
    return parse.meta.start_pos


def name_start(parse: Parse) -> int:
    """Return where the name of a call stands."""
    name = next(child for child in parse.children if isinstance(child, Token))
    return name.start_pos or 0
