"""The parts of an expression that its author can see, each with the stretch of text it was written as.

An engine gives each node one offset, and each engine another: of the operator, of the dot, of the bracket, of the first
token. So a stretch follows from what is below a node, from its own token, and from the brackets that close. What a
macro adds (running values, loop conditions) is no part. Made from a tree before `rewrite`, for people, off the
hot path.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

import msgspec

from authz.cel.names import spoken
from authz.cel.source import NOW, tokens_of
from authz.cel.tree import children, is_loop

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from authz._pb.cel.expr.checked_pb2 import CheckedExpr
    from authz._pb.cel.expr.syntax_pb2 import Expr

_CLOSING = {"(": ")", "[": "]", "{": "}"}
_CHOICE = "_?_:_"


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One part: code points `start` to `end` of the source, and the parts it is made of, in the order of the text.

    `number` is its own within the expression. `operator` is what it does with its parts, as it is written (`&&`, `?:`,
    `contains`, `[]`, `exists`), `""` for a name or a literal; `literal` marks the latter.
    """

    number: int
    start: int
    end: int
    text: str
    operator: str = ""
    literal: bool = False
    parts: tuple[Part, ...] = ()

    def walk(self) -> Iterator[Part]:
        """Yield the part and all below it, parents first."""
        yield self
        for part in self.parts:
            yield from part.walk()


def parts(checked: CheckedExpr, written: str) -> Part:
    """Return the parts of an expression as one tree."""
    return _Cutter(checked, written).part(checked.expr)


class _Cutter:
    """Finds the stretches of one expression."""

    def __init__(self, checked: CheckedExpr, written: str) -> None:
        self._positions = checked.source_info.positions
        self._written = written
        self._tokens = tuple(tokens_of(written))
        self._starts = [token.start for token in self._tokens]

    def part(self, node: Expr) -> Part:
        """Return a node as a part."""
        below = tuple(sorted(map(self.part, self._below(node)), key=lambda part: part.start))
        first, last = self._balanced(*self._stretch(node, below))
        start, end = self._tokens[first].start, self._end(last)
        return Part(
            number=node.id,
            start=start,
            end=end,
            text=self._written[start:end],
            operator=self._operator(node),
            literal=node.HasField("const_expr"),
            parts=below,
        )

    def _below(self, node: Expr) -> Sequence[Expr]:
        """Return the nodes of the parts of a node."""
        if node.HasField("comprehension_expr"):
            return list(self._of_comprehension(node))
        if self._is_chosen(node):
            return [node.call_expr.args[0].call_expr.target, *self._of_choice(node)]
        operands = [child for child, _ in children(node)]
        return operands[:1] if node.call_expr.function == "_?._" else operands

    def _of_comprehension(self, node: Expr) -> Iterator[Expr]:
        macro = node.comprehension_expr
        if not is_loop(node):
            yield from (macro.accu_init, macro.result)
            return
        yield macro.iter_range
        yield from self._of_step(macro.loop_step, macro.accu_var, self._positions.get(node.id, -1))

    def _of_step(self, node: Expr, running: str, place: int) -> Iterator[Expr]:
        """Yield what an author wrote of the step of a loop: the rest stands where the macro does."""
        if self._positions.get(node.id, -1) != place:
            yield node
            return
        operands = node.list_expr.elements if node.HasField("list_expr") else node.call_expr.args
        for operand in operands:
            if operand.ident_expr.name != running:
                yield from self._of_step(operand, running, place)

    def _is_chosen(self, node: Expr) -> bool:
        """Tell whether a conditional is what `optMap` or `optFlatMap` became."""
        call = node.call_expr
        if call.function != _CHOICE or call.args[0].call_expr.function != "hasValue":
            return False
        places = {self._positions.get(each.id, -1) for each in (call.args[0], call.args[2])}
        return len(places) == 1

    def _of_choice(self, node: Expr) -> Iterator[Expr]:
        chosen = node.call_expr.args[1]
        bound = chosen.call_expr.args[0] if chosen.HasField("call_expr") else chosen
        yield bound.comprehension_expr.result

    def _stretch(self, node: Expr, below: Sequence[Part]) -> tuple[int, int]:
        """Return the first and the last token of a node, brackets around operands not yet counted."""
        at = self._at(self._positions.get(node.id, 0))
        first = self._at(below[0].start) if below else at
        last = self._at(below[-1].end - 1) if below else at
        match node.WhichOneof("expr_kind"):
            case "const_expr":
                return at, at + (self._tokens[at].text == "-")
            case "ident_expr":
                return self._name(at, node.ident_expr.name.count("."))
            case "select_expr":
                return self._selected(node, first, last)
            case "list_expr" | "struct_expr":
                return at, self._closed(at)
            case "comprehension_expr":
                return self._called(at, first if is_loop(node) else None)
        return self._of_call(node, at, first, last)

    def _of_call(self, node: Expr, at: int, first: int, last: int) -> tuple[int, int]:
        function = node.call_expr.function
        if self._is_chosen(node):
            return self._called(at, first)
        if function in {"_[_]", "_[?_]"}:
            return first, self._next("]", last + 1)
        if function == "_?._":
            return first, self._next("?", last + 1) + 1
        if _is_operator(function):
            return (min(at, first) if len(node.call_expr.args) == 1 else first), last
        return self._called(at, first if node.call_expr.HasField("target") else None)

    def _selected(self, node: Expr, first: int, last: int) -> tuple[int, int]:
        field = self._next(".", last + 1) + 1
        if not node.select_expr.test_only:
            return first, field
        opening = max(index for index in range(first) if self._tokens[index].text == "has")
        return opening, self._next(")", field + 1)

    def _name(self, at: int, dots: int) -> tuple[int, int]:
        """Return the tokens of a dotted name; an engine may point at its last dot."""
        if self._tokens[at].text == ".":
            return at + 1 - 2 * dots, at + 1
        called = [token.text for token in self._tokens[at : at + 2]] == [NOW, "("]
        return at, at + 2 * (dots + called)

    def _called(self, at: int, target: int | None) -> tuple[int, int]:
        """Return the tokens of a call; without a target its name may be dotted."""
        opening = self._next("(", at)
        first = opening - 1
        while target is None and first >= 2 and self._tokens[first - 1].text == ".":
            first -= 2
        return first if target is None else target, self._closed(opening)

    def _balanced(self, first: int, last: int) -> tuple[int, int]:
        """Return a stretch with the brackets around its operands, that belong to none of them."""
        open_, needed = 0, 0
        for token in self._tokens[first : last + 1]:
            open_ += token.text in _CLOSING
            if token.text in _CLOSING.values():
                needed += open_ == 0
                open_ -= open_ > 0
        return max(0, first - needed), min(len(self._tokens) - 1, last + open_)

    def _closed(self, opening: int) -> int:
        """Return the token that closes a bracket."""
        depth = 0
        for index in range(opening, len(self._tokens)):
            text = self._tokens[index].text
            depth += (text in _CLOSING) - (text in _CLOSING.values())
            if depth == 0:
                return index
        return len(self._tokens) - 1

    def _next(self, text: str, start: int) -> int:
        """Return the next token with a text, from one on; the last there is where none has it."""
        indexes = range(start, len(self._tokens))
        return next((index for index in indexes if self._tokens[index].text == text), len(self._tokens) - 1)

    def _at(self, offset: int) -> int:
        return max(0, bisect_right(self._starts, offset) - 1)

    def _end(self, index: int) -> int:
        token = self._tokens[index]
        return token.start + len(token.text)

    def _operator(self, node: Expr) -> str:
        match node.WhichOneof("expr_kind"):
            case "select_expr":
                return "has" if node.select_expr.test_only else "."
            case "list_expr":
                return "[...]"
            case "struct_expr":
                return "{...}"
            case "call_expr" if _is_operator(node.call_expr.function) and not self._is_chosen(node):
                return spoken(node.call_expr.function)
            case "call_expr" | "comprehension_expr":
                return self._tokens[self._next("(", self._at(self._positions.get(node.id, 0))) - 1].text
        return ""


def _is_operator(function: str) -> bool:
    return function[0] == "@" or "_" in (function[0], function[-1])
