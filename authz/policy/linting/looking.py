"""The expressions of documents as a linter looks at them: where each is written, and the parts it is made of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from authz.errors import Severity
from authz.policy.terms import pointed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz.cel import Expression, Part
    from authz.errors import Fault
    from authz.policy.documents import Document, Guardrail, Policy
    from authz.policy.linting.codes import Lint
    from authz.policy.source import Node, Scalar
    from authz.policy.terms import Span, Watch

_TEXT = re.compile(r"""(?P<raw>[rR])?(?P<quote>\"\"\"|'''|"|')(?P<inner>.*)(?P=quote)""", re.DOTALL)


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """One expression, and where it is written."""

    written: Scalar
    span: Span
    expression: Expression
    whole: Part

    def warned(self, part: Part, code: Lint, message: str, hint: str = "") -> Fault:
        """Return a warning under a part of the expression."""
        place = pointed(self.written, self.span, self.expression.source, part)
        return msgspec.structs.replace(place, code=code, message=message, hint=hint, severity=Severity.WARNING)


class Expressions:
    """Collects the expressions of every document while it is compiled; `watch` is for the compiler."""

    def __init__(self) -> None:
        self._by_name: dict[tuple[str, str], list[Looked]] = {}

    def watch(self, document: Policy | Guardrail) -> Watch:
        """Return what takes the expressions of a document."""
        looked = self._by_name.setdefault((str(document.kind), document.name), [])

        def take(written: Scalar, span: Span, expression: Expression) -> Expression:
            whole = expression.tracer().whole
            looked.append(Looked(written=written, span=span, expression=expression, whole=whole))
            return expression

        return take

    def of(self, document: Document) -> tuple[Looked, ...]:
        """Return the expressions of one document."""
        return tuple(self._by_name.get((str(document.kind), document.name), ()))

    def all(self) -> Iterator[Looked]:
        """Yield the expressions of all documents."""
        for looked in self._by_name.values():
            yield from looked


def warned(node: Node, code: Lint, message: str, hint: str = "") -> Fault:
    """Return a warning under a whole node."""
    return msgspec.structs.replace(node.fault(code, message, hint=hint), severity=Severity.WARNING)


def text(part: Part) -> str | None:
    """Return the text that a literal stands for, `None` for anything else."""
    found = _TEXT.fullmatch(part.text) if part.literal else None
    if found is None:
        return None
    return found["inner"] if found["raw"] else re.sub(r"\\(.)", r"\1", found["inner"])
