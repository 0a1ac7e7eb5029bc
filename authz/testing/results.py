"""What running tests gives: values, for whoever prints, counts or refuses to serve."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authz.model import DocumentTrace, Effect, Reason, RuleError


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What one request got. `rules` and `policies` are those that settled it: for an allow every one that allowed.

    Header names are lower case, each with its values. `limits` are those that are exhausted or refuse, `retry_after` is
    whole seconds.
    """

    decision: Effect
    reason: Reason
    status: int
    policies: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    retry_after: int | None = None
    message: str = ""
    location: str | None = None
    body: str = ""
    request_headers: Mapping[str, tuple[str, ...]] = {}
    removed_headers: tuple[str, ...] = ()
    response_headers: Mapping[str, tuple[str, ...]] = {}
    query: Mapping[str, str] = {}
    removed_query: tuple[str, ...] = ()
    metadata: Mapping[str, object] = {}
    would_deny: tuple[str, ...] = ()
    would_limit: tuple[str, ...] = ()
    errors: tuple[RuleError, ...] = ()
    documents: tuple[DocumentTrace, ...] = ()
    detail: str = ""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is not as expected: its key in `expect`, what was written there, and what is so."""

    key: str
    expected: str
    actual: str


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What one expectation met. `step` counts from 1 in a sequence; `asked` says who asked what."""

    asked: str
    answer: Answer
    differences: tuple[Difference, ...] = ()
    step: int | None = None
    line: int
    column: int


class Verdict(StrEnum):
    """How a test ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """How one case, or one cell of a table, ended. `group` is the table of a cell, `why` the reason of a skip."""

    file: str
    line: int
    column: int
    suite: str
    group: str = ""
    name: str
    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    why: str = ""
    seconds: float = 0.0

    @property
    def failures(self) -> tuple[Finding, ...]:
        """Return the findings that are not as expected."""
        return tuple(finding for finding in self.findings if finding.differences)

    @property
    def title(self) -> str:
        """Return the name by which a pattern finds it."""
        return " / ".join(part for part in (self.suite, self.group, self.name) if part)


def count(results: tuple[Result, ...]) -> Mapping[Verdict, int]:
    """Return how many ended how."""
    return {verdict: sum(result.verdict is verdict for result in results) for verdict in Verdict}
