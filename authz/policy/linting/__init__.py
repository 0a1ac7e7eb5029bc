"""Warnings about policies that are valid and probably not what was meant (AZ4xx).

Looked at are documents that compile, as they are written, and the parts of their expressions. Nothing is evaluated, no
request is needed, nothing is refused: a warning that does not apply is silenced where it stands (`ignoring`). What can
only be wrong belongs into reading or compiling and not here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.policy.documents import Guardrail, Policy
from authz.policy.linting import bodies, expressions, limits, matching, rules, unused
from authz.policy.linting.ignoring import heeded
from authz.policy.linting.looking import Expressions, Looked

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from authz.errors import Fault
    from authz.policy.documents import Document

__all__ = ["Expressions", "Looked", "lint"]


def lint(documents: Sequence[Document], seen: Expressions, tested: Collection[str]) -> tuple[Fault, ...]:
    """Return every warning about documents that compile, in order of place.

    `seen` was the compiler's `watch`; `tested` are the files of policies that tests are about.
    """
    found: list[Fault] = []
    for document in documents:
        warnings = [*_alone(document, seen), *unused.documents(document, documents, seen)]
        if document.file not in tested:
            warnings += unused.tests(document)
        found += heeded(document, warnings)
    return tuple(sorted(found))


def _alone(document: Document, seen: Expressions) -> Iterator[Fault]:
    """Yield what is odd about one document by itself."""
    if not isinstance(document, Policy | Guardrail):
        return
    looked_at = seen.of(document)
    for each in looked_at:
        yield from expressions.odd(each)
    yield from matching.odd(document)
    yield from rules.odd(document)
    yield from limits.odd(document)
    yield from unused.variables(document, looked_at)
    yield from bodies.odd(document, looked_at)
