"""Trials, run one after the other, each from its beginning with nothing counted, and their answers compared."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import msgspec

from authz.errors import PolicyFaults
from authz.testing.comparing import compare
from authz.testing.results import Finding, Result, Verdict
from authz.testing.stage import Skipped, Stage, Surroundings
from authz.testing.suites import check, providers_of
from authz.testing.trials import trials

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from authz.policy import PolicySet
    from authz.testing.results import Answer, Difference
    from authz.testing.suites import Suite
    from authz.testing.trials import Act, Trial


def run(
    suites: Sequence[Suite], policies: PolicySet, *, only: str = "", around: Surroundings | None = None
) -> tuple[Result, ...]:
    """Run the tests whose titles match `only`; raise `PolicyFaults` where they name what the policies do not have."""
    faults = check(suites, policies)
    if faults:
        raise PolicyFaults(faults)
    providers = providers_of(policies)
    return tuple(
        result for suite in suites for result in _results(suite, Stage(suite, policies, providers, around), only)
    )


def titles(suites: Iterable[Suite]) -> Iterator[str]:
    """Yield what tests are called, without running any."""
    for suite in suites:
        yield from (_blank(suite, trial).title for trial in trials(suite))


def _results(suite: Suite, stage: Stage, only: str) -> Iterator[Result]:
    pattern = re.compile(only, re.IGNORECASE)
    for trial in trials(suite):
        blank = _blank(suite, trial)
        if pattern.search(blank.title):
            begun = time.perf_counter()
            result = _tried(trial, stage, blank)
            yield msgspec.structs.replace(result, seconds=time.perf_counter() - begun)


def _blank(suite: Suite, trial: Trial) -> Result:
    return Result(
        file=suite.file, line=trial.line, column=trial.column, suite=suite.name, group=trial.group, name=trial.name,
        verdict=Verdict.PASSED,
    )  # fmt: skip


def _tried(trial: Trial, stage: Stage, blank: Result) -> Result:
    try:
        findings = tuple(_findings(trial, stage))
    except Skipped as skipped:
        return msgspec.structs.replace(blank, verdict=Verdict.SKIPPED, why=str(skipped))
    failed = any(finding.differences for finding in findings)
    verdict = Verdict.FAILED if failed else Verdict.PASSED
    return msgspec.structs.replace(blank, verdict=verdict, findings=findings)


def answered(trial: Trial, stage: Stage) -> Iterator[tuple[Act, Answer]]:
    """Yield the acts of a trial, each with its last answer; raises `Skipped` where one cannot be carried out."""
    now = trial.now
    stage.begin(trial)
    for act in trial.acts:
        now += act.after
        for turn in range(act.repeat):
            now += act.every if turn else 0.0
            answer = stage.ask(act, now)
        yield act, answer


def _findings(trial: Trial, stage: Stage) -> Iterator[Finding]:
    for act, answer in answered(trial, stage):
        differences = compare(act.expect, answer)
        line, column = _place(act, differences)
        yield Finding(
            asked=act.title, answer=answer, differences=differences, step=act.step, line=line, column=column
        )  # fmt: skip


def _place(act: Act, differences: Sequence[Difference]) -> tuple[int, int]:
    """Return where what is not so was expected, else where the act is written."""
    for difference in differences:
        written = act.expect.written(difference.key.partition(".")[0])
        if written is not None:
            return written.source.place(written.start)
    return act.line, act.column
