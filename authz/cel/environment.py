"""Environments and expressions: the door.

An environment knows what can be read and is cheap; an expression is compiled once and evaluated many times. The way of
an expression: its text is read (`source`), the engine checks it into a tree, the tree is checked further (`checks`),
what it reads is derived (`reads`), some of it is exchanged (`rewrite`), and the engine runs what came of it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import msgspec

from authz.cel import source as sources
from authz.cel.bindings import Bindings
from authz.cel.checks import check, check_constants, check_presence
from authz.cel.engine import EngineName, load
from authz.cel.faults import CompileError
from authz.cel.parts import parts
from authz.cel.reads import reads
from authz.cel.rewrite import TIME, rewrite
from authz.cel.source import NOW
from authz.cel.tracing import Tracer
from authz.cel.tree import type_of, walk
from authz.cel.types import TIMESTAMP

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from authz._pb.cel.expr.checked_pb2 import CheckedExpr
    from authz.cel.engine import Activation, Program
    from authz.cel.reads import Attribute
    from authz.cel.source import Source
    from authz.cel.types import CelType
    from authz.cel.values import EvaluationError

_MAX_EXTENSIONS = 256


class Expression(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A compiled expression.

    `variables` are the names it reads, `reads` the same with the constant keys that are followed. `holds` gives
    `True` or `False` only for a CEL bool, `value` the plain Python value; both give an `EvaluationError` for
    anything else and raise nothing. `walked` says that they walk in Python and do not run in an engine. `tracer` makes
    what shows an evaluation part by part, for people: it is slow.
    """

    source: str
    type: CelType
    variables: frozenset[str]
    reads: tuple[Attribute, ...]
    holds: Callable[[Activation], bool | EvaluationError]
    value: Callable[[Activation], object | EvaluationError]
    walked: bool
    tracer: Callable[[], Tracer]


class Environment:
    """A set of typed variables, the functions of the registry, and an engine; immutable.

    Variables are flat dotted names (`request.method`); the longest declared name wins.
    """

    def __init__(self, variables: Mapping[str, CelType], *, engine: EngineName = EngineName.AUTO) -> None:
        self.engine, module = load(engine)
        self.variables = dict(variables)
        self._fit = Bindings(self.variables).fit
        now = {NOW: TIMESTAMP} if TIME in self.variables else {}
        self._engine = module.environment({**self.variables, **now})
        self._names = {**{name: name for name in self.variables}, **dict.fromkeys(now, TIME)}
        self._extensions: dict[frozenset[tuple[str, CelType]], Environment] = {}

    def extended(self, variables: Mapping[str, CelType]) -> Environment:
        """Return an environment with more variables, the same one for the same variables."""
        key = frozenset(variables.items())
        if (known := self._extensions.get(key)) is not None:
            return known
        if len(self._extensions) >= _MAX_EXTENSIONS:
            self._extensions.clear()
        extended = self._extensions[key] = Environment({**self.variables, **variables}, engine=self.engine)
        return extended

    def compile(self, source: str, *, expect: CelType | None = None) -> Expression:
        """Return an expression of the type that is expected, or of any; raise `CompileError` with every fault."""
        read = sources.read(source)
        checked = self._checked(read)
        visits = walk(checked.expr)
        faults = [
            *check_presence(read, self.variables),
            *check(checked, visits, read, expect),
            *check_constants(checked, visits, read, self._engine),
        ]
        if faults:
            raise CompileError(faults)
        type_, attributes = type_of(checked, checked.expr), reads(checked, self._names)
        rewrite(checked, visits, self.variables)
        program = self._engine.program(checked)
        return Expression(
            source=source,
            type=type_,
            variables=frozenset(attribute.variable for attribute in attributes),
            reads=attributes,
            holds=program.holds,
            value=program.value,
            walked=program.walked,
            tracer=partial(self._tracer, source, read, program),
        )

    def _tracer(self, written: str, source: Source, program: Program) -> Tracer:
        checked = self._engine.check(source.text)
        whole = parts(checked, written)
        rewrite(checked, walk(checked.expr), self.variables)
        return Tracer(whole, checked.expr, self.variables, program)

    def _checked(self, source: Source) -> CheckedExpr:
        """Return the engine's tree; where it finds faults, also those it does not see for what they are."""
        try:
            return self._engine.check(source.text)
        except CompileError as error:
            presence = tuple(check_presence(source, self.variables))
            places = {(fault.line, fault.column) for fault in presence}
            others = (fault for fault in error.faults if (fault.line, fault.column) not in places)
            raise CompileError((*presence, *others)) from None

    def activation(self, bindings: Mapping[str, object]) -> Activation:
        """Return what expressions are evaluated against; a name left out is an error when it is read."""
        return self._engine.activation(self._fit(bindings))
