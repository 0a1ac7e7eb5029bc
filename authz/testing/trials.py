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

    after: float
    asked: Asked
    title: str
    caller: Text | None
    repeat: int
    every: float
    faults: Failing
    expect: Expectation
    step: int | None
    line: int
    column: int


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
        acts = (
            _act(
                case.request, case.caller, spec, expect=case.expect, repeat=case.repeat, every=case.every or 0.0,
                faults=case.faults, line=line, column=column,
            ),
        )  # fmt: skip
    begins = now if case.now is None else case.now
    data = {**spec.data, **case.data}
    return Trial(group="", name=str(case.name), now=begins, data=data, acts=acts, line=line, column=column)


def _step(step: Step, case: Case, spec: PolicyTestSpec, number: int) -> Act:
    line, column = _place(case.name if isinstance(step.request, Requested) else step.request)
    own = "faults" in step.model_fields_set
    return _act(
        step.request, step.caller or case.caller, spec, expect=step.expect, repeat=step.repeat,
        every=step.every or 0.0, after=step.after or 0.0, faults=step.faults if own else case.faults, step=number,
        line=line, column=column,
    )  # fmt: skip


def _cells(table: Matrix, spec: PolicyTestSpec, now: float, number: int) -> Iterator[Trial]:
    group, data = str(table.name or f"table {number}"), {**spec.data, **table.data}
    for caller, row in table.expect.items():
        for request, word in zip(table.requests, row, strict=True):
            line, column = _place(word)
            act = _act(request, caller, spec, expect=expectation(word), faults=table.faults, line=line, column=column)
            name = f"{caller}: {request}"
            yield Trial(group=group, name=name, now=now, data=data, acts=(act,), line=line, column=column)


def _act(  # noqa: PLR0913 - one per thing that is said
    request: Text | Requested, caller: Text | None, spec: PolicyTestSpec, *, expect: Expectation, faults: Failing,
    line: int, column: int, repeat: int = 1, every: float = 0.0, after: float = 0.0, step: int | None = None,
) -> Act:  # fmt: skip
    fixture = request if isinstance(request, Requested) else spec.requests[request]
    asked = asked_of(fixture, spec.requests)
    who = NOBODY if caller is None else str(caller)
    return Act(
        after=after,
        asked=asked,
        title=f"{who}: {asked.method} {asked.url}" + (f", {repeat} times" if repeat > 1 else ""),
        caller=None if who == NOBODY else caller,
        repeat=repeat,
        every=every,
        faults=faults,
        expect=expect,
        step=step,
        line=line,
        column=column,
    )


def _place(scalar: Scalar) -> tuple[int, int]:
    return scalar.source.place(scalar.start)
