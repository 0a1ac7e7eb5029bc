"""Policies in a few words, and what a linter says of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from textwrap import indent
from typing import NamedTuple

import pytest

from authz.content import SchemaValidators
from authz.policy import Compiler
from authz.policy.linting import Expressions, lint

FILE = "a.yaml"


class Said(NamedTuple):
    """One warning: its code, where it points, what that is, its words."""

    code: str
    line: int
    column: int
    under: str
    message: str
    hint: str


def document(spec: str, *, kind: str = "Policy", name: str = "p", annotations: str = "{}") -> str:
    """Return a document; a policy without `match` governs /v1/**."""
    if kind == "Policy" and not spec.startswith("match:"):
        spec = 'match: [{paths: ["/v1/**"]}]\n' + spec
    head = f"apiVersion: authz/v1\nkind: {kind}\nmetadata: {{name: {name}, annotations: {annotations}}}\nspec:\n"
    return head + indent(spec.rstrip("\n"), "  ") + "\n"


Warn = Callable[..., list[Said]]


@pytest.fixture
def warn() -> Warn:
    """Lint documents, which are given as text."""

    def warn_(*documents: str, tested: Iterable[str] = (FILE,)) -> list[Said]:
        seen = Expressions()
        compiler = Compiler(validators=SchemaValidators(), watch=seen.watch, providers=("staff",))
        policies = compiler.compile({FILE: "---\n".join(documents).encode()})
        return [
            Said(
                fault.code, fault.line, fault.column,
                fault.text[fault.column - 1 : fault.column - 1 + fault.length], fault.message, fault.hint,
            )
            for fault in lint(policies.written, seen, frozenset(tested))
        ]  # fmt: skip

    return warn_


@pytest.fixture
def warn_of(warn: Warn) -> Callable[[str], list[Said]]:
    """Lint a policy whose one rule allows where an expression holds, in which nothing else is odd."""

    def warn_of_(expression: str) -> list[Said]:
        bounded = "validate: [{name: size, max_bytes: 65536}]\n"
        return warn(document(f"{bounded}rules:\n  - name: r\n    allow: |-\n      {expression}\n"))

    return warn_of_
