"""An expression in its place: compiled, with the file position of every fault, and with what it must be given.

A name an expression reads is bound early or late. Early names are cheap and bound together, once for all documents
that govern a request. Late names cost something (a body to parse) or are expressions themselves (`variables.x`): they
are bound before the first term that reads them is evaluated, and at most once. A name that has no value is left
out, and reading it is an error, which is neither true nor false.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from authz.cel import DYN, STRING, Attribute, Code, CompileError, CompileFault, Expression, Kind
from authz.policy.attributes import ATTRIBUTES, LATE
from authz.policy.faults import Together
from authz.policy.scan import members

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from authz.cel import Activation, CelType, Environment, EvaluationError, Part
    from authz.errors import Fault
    from authz.policy.source import Scalar, Text

Keys = frozenset[str] | None

TEXTS = frozenset({Kind.BOOL, Kind.INT, Kind.UINT, Kind.DOUBLE, Kind.STRING, Kind.TIMESTAMP, Kind.DURATION, Kind.DYN})
"""The kinds of value that have one form as text, or may have."""

_AS_TEXT = {
    Kind.LIST: 'take one element, or .join(",")',
    Kind.MAP: "take one of its values",
    Kind.BYTES: "base64.encode(...) or hash.sha256(...) makes one",
}

VARIABLES = "variables."
"""What the names of a document's own variables begin with."""


class Term(msgspec.Struct, frozen=True, kw_only=True):
    """A compiled expression. `late` are the names to bind before it is evaluated, those first that others need.

    `direct` is the one name that it is, where it is a text attribute and nothing else: then it needs no engine.
    `watched` says that somebody wants to see each evaluation: nothing may be evaluated in its place.
    """

    expression: Expression
    holds: Callable[[Activation], bool | EvaluationError]
    value: Callable[[Activation], object | EvaluationError]
    late: tuple[str, ...] = ()
    direct: str | None = None
    watched: bool = False


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """Where an expression begins inside the scalar that holds it: line and column from 1."""

    line: int = 1
    column: int = 1


WHOLE = Span()
"""An expression that is all of its scalar."""

Watch = Callable[["Scalar", Span, Expression], Expression]
"""Gets the expressions of a document, with where they are written, and returns those to evaluate in their place."""


class Terms:
    """Compiles the expressions of one document and keeps every fault it meets.

    `faults` decide what becomes of the document in the end; until then an expression at fault is stood in for by one
    that says nothing, so that the next one is looked at as well. `early` grows with every term: the names to
    bind before any of them is evaluated, each with the keys that are read of a map, `None` where all of it may be;
    `late` grows too: the names of `LATE` that any of them reads. `reads` is all of it, to its last constant key.
    """

    def __init__(self, environment: Environment, watch: Watch | None = None) -> None:
        self._environment = environment
        self._watch = watch
        self.faults: list[Fault] = []
        self.variables: dict[str, Term] = {}
        self.early: dict[str, Keys] = {}
        self.late: set[str] = set()
        self.reads: dict[Attribute, None] = {}

    def compile(
        self,
        written: Scalar,
        label: str,
        expect: CelType | None = None,
        *,
        source: str = "",
        span: Span = WHOLE,
        fits: Collection[Kind] = tuple(Kind),
    ) -> Term:
        """Return an expression as a term; `source` and `span` say which part of what was written it is.

        `fits` are the kinds of value that can stand in its place, where there are several.
        """
        try:
            expression = self._environment.compile(source or str(written), expect=expect)
            if expression.type.kind not in fits:
                raise CompileError([_unfit(expression)])
        except CompileError as error:
            self.faults.extend(_placed(fault, written, label, span) for fault in error.faults)
            expression = self._environment.compile("null")
        if self._watch is not None:
            expression = self._watch(written, span, expression)
        self._note(expression.reads)
        return Term(
            expression=expression,
            holds=expression.holds,
            value=expression.value,
            late=self._late(expression),
            direct=_direct(expression),
            watched=self._watch is not None,
        )

    def define(self, variables: Mapping[Text, Scalar]) -> None:
        """Compile variables, each after those it reads; from here on expressions can read them."""
        waiting = {str(name): expression for name, expression in variables.items()}
        reads = {name: set(members(source, "variables")) for name, source in waiting.items()}
        while waiting:
            ready = [name for name in waiting if not reads[name] & waiting.keys()]
            if not ready:
                self._refuse_cycles(waiting, reads)
                return
            self._extend({name: self._variable(name, waiting.pop(name)) for name in ready})

    def _variable(self, name: str, written: Scalar) -> CelType:
        """Compile one variable and return its type; one that is at fault stands for anything, to fault only once."""
        before = len(self.faults)
        term = self.variables[VARIABLES + name] = self.compile(written, f'variable "{name}"')
        return term.expression.type if len(self.faults) == before else DYN

    def _extend(self, types: Mapping[str, CelType]) -> None:
        self._environment = self._environment.extended({VARIABLES + name: kind for name, kind in types.items()})

    def _refuse_cycles(self, waiting: Mapping[str, Scalar], reads: Mapping[str, set[str]]) -> None:
        """Note each variable that needs itself; those that merely need one of them are not at fault."""
        for name, written in waiting.items():
            if path := _cycle(name, reads):
                message = f'variable "{name}": reads itself: {" -> ".join(path)}'
                self.faults.append(written.fault(Together.CYCLE, message, hint="say one of them without the other"))
        self._extend(dict.fromkeys(waiting, DYN))

    def _late(self, expression: Expression) -> tuple[str, ...]:
        """Return the late names an expression reads, each after those it needs itself."""
        late: dict[str, None] = {}
        for name in sorted(expression.variables):
            if (variable := self.variables.get(name)) is not None:
                late.update(dict.fromkeys((*variable.late, name)))
            elif name in LATE:
                late[name] = None
        return tuple(late)

    def also_read(self, name: str, key: str | None = None) -> None:
        """Note that the document reads a name, or one key of it, without an expression that says so."""
        self.reads[Attribute(variable=name, keys=() if key is None else (key,))] = None
        self._bind(name, key)

    def _bind(self, name: str, key: str | None) -> None:
        keys = self.early.get(name, frozenset())
        self.early[name] = None if keys is None or key is None else keys | {key}

    def _note(self, reads: Iterable[Attribute]) -> None:
        """Note what an expression reads."""
        for attribute in reads:
            self.reads[attribute] = None
            name = attribute.variable
            if name in LATE:
                self.late.add(name)
            elif not name.startswith(VARIABLES):
                self._bind(name, str(attribute.keys[0]) if attribute.keys else None)


def _unfit(expression: Expression) -> CompileFault:
    """Return the fault of an expression whose value could never stand in its place."""
    written = expression.source
    before = written[: len(written) - len(written.lstrip())]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    return CompileFault(
        line=line, column=column, length=len(written.strip().partition("\n")[0]), code=Code.TYPE,
        message=f"the result is {expression.type}, and a text is expected",
        hint=_AS_TEXT.get(expression.type.kind, ""),
    )  # fmt: skip


def _direct(expression: Expression) -> str | None:
    name = expression.source.strip()
    return name if name in ATTRIBUTES and name not in LATE and expression.type == STRING else None


def _placed(fault: CompileFault, written: Scalar, label: str, span: Span) -> Fault:
    """Return an engine's fault at its place in the file."""
    column = fault.column + (span.column - 1 if fault.line == 1 else 0)
    return written.fault(
        fault.code,
        f"{label}: {fault.message}",
        hint=fault.hint,
        line=fault.line + span.line - 1,
        column=column,
        length=fault.length,
    )


def pointed(written: Scalar, span: Span, source: str, part: Part) -> Fault:
    """Return a fault without words at a part of an expression."""
    line = source.count("\n", 0, part.start) + 1
    column = part.start - source.rfind("\n", 0, part.start) + (span.column - 1 if line == 1 else 0)
    length = len(part.text.partition("\n")[0])
    return written.fault("", "", line=line + span.line - 1, column=column, length=length)


def _cycle(name: str, reads: Mapping[str, set[str]]) -> tuple[str, ...]:
    """Return the shortest way from a variable back to itself, or nothing."""
    ways: list[tuple[str, ...]] = [(name,)]
    seen = set()
    for way in ways:
        for member in sorted(reads.get(way[-1], ())):
            if member == name:
                return (*way, name)
            if member not in seen:
                seen.add(member)
                ways.append((*way, member))
    return ()
