"""Tests as they are run: every form of a document becomes trials, and every trial a sequence of acts.

How an act is carried out, in process or through Envoy, is nothing to them. Names are looked up here for the last time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from authz.policy.documents.expectations import expectation
from authz.policy.documents.fixtures import NOBODY, Requested
from authz.testing.asking import Asked, asked_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from authz.policy.documents import DataSpec
    from authz.policy.documents.expectations import Expectation
    from authz.policy.documents.tests import Case, Failing, Matrix, PolicyTestSpec, Step
    from authz.policy.source import Scalar, Text
    from authz.testing.suites import Suite

EPOCH = 1_767_225_600.0
"""2026-01-01T00:00:00Z: when tests take place that do not say when."""


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to do: let time pass, ask (perhaps repeatedly), and look at the last answer. Times are seconds."""

    asked: Asked
    caller: Text | None
    faults: Failing
    expect: Expectation
    line: int
    column: int
    after: float = 0.0
    repeat: int = 1
    every: float = 0.0
    step: int | None = None

    @property
    def title(self) -> str:
        """Return who asks for what, and how often."""
        times = f", {self.repeat} times" if self.repeat > 1 else ""
        return f"{self.caller or NOBODY}: {self.asked.method} {self.asked.url}{times}"


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One case, or one cell of a table. `now` is seconds since the epoch; `data` says what data says instead."""

    group: str
    name: str
    now: float
    data: Mapping[Text, DataSpec]
    acts: tuple[Act, ...]
    line: int
    column: int


def trials(suite: Suite) -> Iterator[Trial]:
    """Yield the trials of a document: its cases, then its tables row by row."""
    spec = suite.document.spec
    now = EPOCH if spec.now is None else spec.now
    for case in spec.cases:
        yield _case(case, spec, now)
    for number, table in enumerate(spec.matrix, 1):
        yield from _cells(table, spec, now, number)


def _case(case: Case, spec: PolicyTestSpec, now: float) -> Trial:
    line, column = _place(case.name)
    if case.steps:
        acts = tuple(_step(step, case, spec, number) for number, step in enumerate(case.steps, 1))
    else:
        assert case.request is not None  # noqa: S101 - `conflicts` has seen to it
        assert case.expect is not None  # noqa: S101 - likewise
        only = Act(
            asked=_asked(case.request, spec), caller=_caller(case.caller), expect=case.expect, faults=case.faults,
            repeat=case.repeat, every=case.every or 0.0, line=line, column=column,
        )  # fmt: skip
        acts = (only,)
    begins = now if case.now is None else case.now
    data = {**spec.data, **case.data}
    return Trial(group="", name=str(case.name), now=begins, data=data, acts=acts, line=line, column=column)


def _step(step: Step, case: Case, spec: PolicyTestSpec, number: int) -> Act:
    line, column = _place(case.name if isinstance(step.request, Requested) else step.request)
    own = "faults" in step.model_fields_set
    return Act(
        asked=_asked(step.request, spec), caller=_caller(step.caller or case.caller), expect=step.expect,
        faults=step.faults if own else case.faults, after=step.after or 0.0, repeat=step.repeat,
        every=step.every or 0.0, step=number, line=line, column=column,
    )  # fmt: skip


def _cells(table: Matrix, spec: PolicyTestSpec, now: float, number: int) -> Iterator[Trial]:
    group, data = str(table.name or f"table {number}"), {**spec.data, **table.data}
    for caller, row in table.expect.items():
        for request, word in zip(table.requests, row, strict=True):
            line, column = _place(word)
            act = Act(
                asked=_asked(request, spec), caller=_caller(caller), expect=expectation(word), faults=table.faults,
                line=line, column=column,
            )  # fmt: skip
            name = f"{caller}: {request}"
            yield Trial(group=group, name=name, now=now, data=data, acts=(act,), line=line, column=column)


def _asked(request: Text | Requested, spec: PolicyTestSpec) -> Asked:
    return asked_of(request if isinstance(request, Requested) else spec.requests[request], spec.requests)


def _caller(named: Text | None) -> Text | None:
    return None if named == NOBODY else named


def _place(scalar: Scalar) -> tuple[int, int]:
    return scalar.source.place(scalar.start)
