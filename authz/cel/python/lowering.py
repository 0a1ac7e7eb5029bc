"""From the parse of `cel-python` to the checked tree: names resolved, macros expanded, types where they are known.

A dotted name is the longest declared variable, and selections on it. Names that are neither declared nor bound by a
macro, functions that are not there or are not called like this, and literals that are none are faults; all are
collected. Where `cel-python` takes more than CEL has (reserved words as names), so is that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lark import Tree

from authz.cel.faults import Code, CompileError, CompileFault
from authz.cel.names import no_field, not_taken, spoken, undeclared_function, undeclared_variable
from authz.cel.python import literals, macros, signatures
from authz.cel.python.builder import Builder
from authz.cel.python.parses import LEAVES, name_start, operands, path_of, start, trees
from authz.cel.tree import at
from authz.cel.types import BOOL, DYN, CelType, Kind
from authz.cel.walker.values import TYPES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lark import Token

    from authz._pb.cel.expr.checked_pb2 import CheckedExpr
    from authz._pb.cel.expr.syntax_pb2 import Expr
    from authz.cel.python.parses import Parse

_RESERVED = frozenset(
    (
        "as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let", "loop",
        "namespace", "null", "package", "return", "true", "var", "void", "while",
    )
)  # fmt: skip
_KEYWORDS = frozenset(("false", "in", "null", "true"))
_OPERATORS = {
    "relation_lt": "_<_", "relation_le": "_<=_", "relation_gt": "_>_", "relation_ge": "_>=_",
    "relation_eq": "_==_", "relation_ne": "_!=_", "relation_in": "@in",
    "addition_add": "_+_", "addition_sub": "_-_",
    "multiplication_mul": "_*_", "multiplication_div": "_/_", "multiplication_mod": "_%_",
    "unary_not": "!_", "unary_neg": "-_",
}  # fmt: skip
_CHAINS = {"conditionalor": "_||_", "conditionaland": "_&&_"}
_ERROR = "@error"


def lower(parse: Parse, text: str, variables: Mapping[str, CelType]) -> CheckedExpr:
    """Return the checked tree of a parse; raise `CompileError` with every fault."""
    lowering = _Lowering(text, variables)
    root = lowering.expression(parse)
    if lowering.faults:
        raise CompileError(lowering.faults)
    return lowering.build.finished(root)


class _Lowering:
    """Lowers one parse; what is at fault becomes a name nobody can write, so that lowering goes on."""

    def __init__(self, text: str, variables: Mapping[str, CelType]) -> None:
        self.build = Builder()
        self.faults: list[CompileFault] = []
        self._text = text
        self._variables = variables
        self._bound: dict[str, CelType] = {}
        self._readers: Mapping[str, Callable[[Parse], Expr]] = {
            "expr": self._conditional,
            "conditionalor": self._chain,
            "conditionaland": self._chain,
            "relation": self._binary,
            "addition": self._binary,
            "multiplication": self._binary,
            "unary": self._unary,
            "member_dot": self._dotted,
            "member_dot_arg": self._member_call,
            "member_index": self._index,
            "member_optional_dot": self._optional_dot,
            "member_optional_index": self._index,
            "ident": self._dotted,
            "dot_ident": self._dotted,
            "ident_arg": self._global_call,
            "dot_ident_arg": self._global_call,
            "literal": self._literal,
            "list_lit": self._list,
            "map_lit": self._map,
        }

    def expression(self, parse: Parse) -> Expr:
        """Return the node of a parse, whatever it is."""
        while len(parse.children) == 1 and isinstance(parse.children[0], Tree) and parse.data not in LEAVES:
            parse = parse.children[0]
        reader = self._readers.get(parse.data)
        return reader(parse) if reader else self._fault(parse, Code.UNSUPPORTED, "this engine makes no messages")

    def _conditional(self, parse: Parse) -> Expr:
        return self._operation("_?_:_", [self.expression(part) for part in trees(parse)], start(parse))

    def _chain(self, parse: Parse) -> Expr:
        """Return `a && b && c` as a balanced tree: a long one is no deep one."""
        operands = []
        rule = parse.data
        while parse.data == rule and len(parse.children) == 2:
            left, right = trees(parse)
            operands.append(right)
            parse = left
        operands.append(parse)
        nodes = [self.expression(operand) for operand in reversed(operands)]
        return self._balanced(_CHAINS[rule], nodes, start(parse))

    def _balanced(self, function: str, nodes: Sequence[Expr], place: int) -> Expr:
        if len(nodes) == 1:
            return nodes[0]
        half = (len(nodes) + 1) // 2
        halves = [self._balanced(function, part, place) for part in (nodes[:half], nodes[half:])]
        return self._operation(function, halves, place)

    def _operation(self, function: str, nodes: Sequence[Expr], place: int, *, target: Expr | None = None) -> Expr:
        """Return a call of an operator or function, and note it if it does not take what it is given."""
        types = [self.build.type_of(node) for node in ((target, *nodes) if target is not None else nodes)]
        if not signatures.takes(function, *types):
            where = self._place(place)
            shown = ", ".join(map(str, types))
            self.faults.append(not_taken(function, shown, line=where.line, column=where.column))
        return self.build.call(function, nodes, place, signatures.result(function, *types), target=target)

    def _binary(self, parse: Parse) -> Expr:
        """Return an operation; the grammar puts its left operand below the operator."""
        left, right = trees(parse)
        nodes = [self.expression(trees(left)[0]), self.expression(right)]
        function = _OPERATORS[left.data]
        return self._operation(function, nodes, left.meta.end_pos - len(spoken(function)))

    def _unary(self, parse: Parse) -> Expr:
        """Return a negation; of two in a row nothing is left, whatever they negate, as in the other engine."""
        operator, operand = trees(parse)
        inner = trees(operand)
        if len(inner) == 2 and inner[0].data == operator.data:
            return self.expression(inner[1])
        return self._operation(_OPERATORS[operator.data], [self.expression(operand)], start(parse))

    def _literal(self, parse: Parse) -> Expr:
        token = parse.children[0]
        try:
            return self.build.constant(literals.read(token.type, str(token)), start(parse))  # type: ignore[union-attr]
        except ValueError as error:
            return self._fault(parse, Code.SYNTAX, f"syntax error: {error}")

    def _list(self, parse: Parse) -> Expr:
        return self.build.list(self._arguments(parse), start(parse))

    def _map(self, parse: Parse) -> Expr:
        parts = [self.expression(part) for child in trees(parse) for part in trees(child)]
        return self.build.map(list(zip(parts[::2], parts[1::2], strict=True)), start(parse))

    def _dotted(self, parse: Parse) -> Expr:
        """Return a name, or a selection on something that is none."""
        path = path_of(parse)
        if path is None:
            operand, field = parse.children
            return self._selected(self.expression(operand), field, start(parse))  # type: ignore[arg-type]
        if path[0] in self._bound:
            node, rest = self.build.name(path[0], start(parse), self._bound[path[0]]), path[1:]
        elif (declared := self._longest(path)) is not None:
            node, rest = (
                self.build.name(declared, start(parse), self._variables[declared]),
                path[declared.count(".") + 1 :],
            )
        elif ".".join(path) in TYPES:
            return self.build.name(".".join(path), start(parse), CelType(kind=Kind.TYPE))
        else:
            return self._undeclared(parse, path)
        for field in rest:
            node = self._selected(node, field, parse.meta.end_pos - len(field))
        return node

    def _longest(self, path: Sequence[Token]) -> str | None:
        names = (".".join(path[:length]) for length in range(len(path), 0, -1))
        return next((name for name in names if name in self._variables), None)

    def _undeclared(self, parse: Parse, path: Sequence[Token]) -> Expr:
        if path[0] in _RESERVED:
            return self._fault(parse, Code.SYNTAX, f'syntax error: "{path[0]}" is a reserved word')
        where, length = self._place(start(parse)), parse.meta.end_pos - start(parse)
        name = ".".join(path)
        self.faults.append(
            undeclared_variable(name, self._variables, line=where.line, column=where.column, length=length)
        )
        return self.build.name(_ERROR, start(parse))

    def _selected(self, operand: Expr, field: Token, place: int) -> Expr:
        if field in _KEYWORDS:
            self.faults.append(at(self._text, place, Code.SYNTAX, f'syntax error: unexpected "{field}"'))
        type_ = self.build.type_of(operand)
        found = signatures.field(type_, str(field))
        if found is None:
            self._no_field(type_, field, place)
        return self.build.select(operand, str(field), place, found or DYN)

    def _no_field(self, type_: CelType, field: Token, place: int) -> None:
        where = self._place(place)
        if type_.kind is Kind.MESSAGE:
            self.faults.append(no_field(str(field), type_.name, line=where.line, column=where.column))
        else:
            self.faults.append(at(self._text, place, Code.TYPE, f"{type_} has no fields", length=len(field)))

    def _index(self, parse: Parse) -> Expr:
        function = "_[?_]" if parse.data == "member_optional_index" else "_[_]"
        return self._operation(function, [self.expression(part) for part in trees(parse)], start(parse))

    def _optional_dot(self, parse: Parse) -> Expr:
        operand, field = parse.children
        node = self.expression(operand)  # type: ignore[arg-type]  # the grammar has a tree there
        key = self.build.constant(str(field), parse.meta.end_pos - len(str(field)))
        return self._operation("_?._", [node, key], start(parse))

    def _global_call(self, parse: Parse) -> Expr:
        name = str(parse.children[0])
        if name == "has":
            return self._has(parse)
        return self._called(parse, name, self._arguments(parse), None)

    def _member_call(self, parse: Parse) -> Expr:
        receiver, name = parse.children[0], str(parse.children[1])
        path = path_of(receiver) or ()  # type: ignore[arg-type]
        qualified = ".".join((*path, name))
        if qualified == "cel.bind":
            return self._bind(parse)
        if path and path[0] not in self._bound and signatures.is_global(qualified):
            return self._called(parse, qualified, self._arguments(parse), None)
        if (expand := macros.MACROS.get((name, len(operands(parse))))) is not None:
            return self._macro(parse, expand)
        return self._called(parse, name, self._arguments(parse), self.expression(receiver))  # type: ignore[arg-type]

    def _called(self, parse: Parse, name: str, arguments: Sequence[Expr], target: Expr | None) -> Expr:
        count = len(arguments) + (target is not None)
        if not signatures.fits(name, count, member=target is not None):
            where = self._place(name_start(parse))
            self.faults.append(undeclared_function(name, line=where.line, column=where.column, length=len(name)))
            return self.build.name(_ERROR, start(parse))
        return self._operation(name, arguments, name_start(parse), target=target)

    def _has(self, parse: Parse) -> Expr:
        arguments = self._arguments(parse)
        if len(arguments) == 1 and arguments[0].HasField("ident_expr"):
            return arguments[0]
        if len(arguments) != 1 or not arguments[0].HasField("select_expr"):
            return self._fault(parse, Code.SYNTAX, "has() asks for a key: has(map.key)")
        selected = arguments[0].select_expr
        return self.build.select(selected.operand, selected.field, start(parse), BOOL, test_only=True)

    def _macro(self, parse: Parse, expand: Callable[[Builder, macros.Macro], Expr]) -> Expr:
        receiver, given = parse.children[0], operands(parse)
        of = self.expression(receiver)  # type: ignore[arg-type]  # the grammar has a tree there
        name, element = self._new_name(given[0]), _element(self.build.type_of(of))
        bodies = [self._within({name: element}, each) for each in given[1:]]
        second = bodies[1] if len(bodies) > 1 else None
        place = name_start(parse)
        macro = macros.Macro(of=of, name=name, element=element, first=bodies[0], second=second, at=place)
        return expand(self.build, macro)

    def _bind(self, parse: Parse) -> Expr:
        given = operands(parse)
        if len(given) != 3:
            return self._fault(parse, Code.SYNTAX, "it is cel.bind(name, value, expression)")
        name, value = self._new_name(given[0]), self.expression(given[1])
        body = self._within({name: self.build.type_of(value)}, given[2])
        return macros.bind(self.build, name, value, body, start(parse))

    def _new_name(self, parse: Parse) -> str:
        path = path_of(parse)
        if path is None or len(path) != 1:
            self._fault(parse, Code.SYNTAX, "syntax error: a name is expected")
            return _ERROR
        return str(path[0])

    def _within(self, names: Mapping[str, CelType], parse: Parse) -> Expr:
        around = self._bound
        self._bound = {**around, **names}
        try:
            return self.expression(parse)
        finally:
            self._bound = around

    def _arguments(self, parse: Parse) -> list[Expr]:
        return [self.expression(operand) for operand in operands(parse)]

    def _fault(self, parse: Parse, code: Code, message: str) -> Expr:
        self.faults.append(at(self._text, start(parse), code, message))
        return self.build.name(_ERROR, start(parse))

    def _place(self, offset: int) -> CompileFault:
        return at(self._text, offset, Code.ENGINE, "")


def _element(container: CelType) -> CelType:
    """Return the type of what a macro's name stands for: an element of a list, a key of a map, what an optional has."""
    return container.parameters[0] if container.parameters else DYN
