"""What tests ask, answered by both states. What the tests expect is not looked at: both states may fail them.

Callers are believed by the providers of each state, so another issuer or key changes no answer here; that is said of
the provider itself. What only one state can be asked, for it names a caller or data that the other does not have, is
told as such.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from authz.policy.documents.grammar import Unfit
from authz.testing.running import answered
from authz.testing.stage import Skipped, Stage
from authz.testing.suites import providers_of
from authz.testing.trials import trials

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from authz.cli.diff.sources import Side
    from authz.policy import PolicySet
    from authz.testing import Answer, Suite
    from authz.testing.trials import Trial


class Kind(StrEnum):
    """How an answer differs."""

    ALLOWED = "newly allowed"
    DENIED = "newly denied"
    OTHER = "other answer"
    UNASKED = "not comparable"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One request of a test whose answer changed."""

    kind: Kind
    test: str
    request: str
    before: str = ""
    after: str = ""


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """What came of all requests of tests."""

    asked: int
    changed: tuple[Asked, ...]

    def total(self, kind: Kind) -> int:
        """Return how many answers changed in one way."""
        return sum(one.kind is kind for one in self.changed)


def compared(before: Side, after: Side) -> Compared:
    """Have both states answer what the tests of the later ask, and those of the earlier that it does not have."""
    known = {suite.name for suite in after.suites}
    suites = [*after.suites, *(suite for suite in before.suites if suite.name not in known)]
    found = [pair for suite in suites for pair in _suite(suite, before.policies, after.policies)]
    return Compared(asked=len(found), changed=tuple(one for one in found if one is not None))


def _suite(suite: Suite, before: PolicySet, after: PolicySet) -> Iterator[Asked | None]:
    sides = [(Stage(suite, one, providers_of(one)), providers_of(one).keys()) for one in (before, after)]
    for trial in trials(suite):
        test = " / ".join(part for part in (suite.name, trial.group, trial.name) if part)
        answers = []
        for stage, providers in sides:
            callers = {suite.document.spec.identities[act.caller].provider for act in trial.acts if act.caller}
            answers.append(_answers(trial, stage) if callers <= providers else None)
        was, now = answers
        if was is None or now is None:
            yield Asked(kind=Kind.UNASKED, test=test, request=trial.acts[0].title)
        else:
            for act, one, other in zip(trial.acts, was, now, strict=True):
                yield _changed(test, act.title, one, other)


def _answers(trial: Trial, stage: Stage) -> Sequence[Answer] | None:
    try:
        return [answer for _, answer in answered(trial, stage)]
    except (Unfit, Skipped):
        return None


def _changed(test: str, request: str, before: Answer, after: Answer) -> Asked | None:
    kind = _kind(before, after)
    if kind is None:
        return None
    return Asked(kind=kind, test=test, request=request, before=told(before), after=told(after))


def _kind(before: Answer, after: Answer) -> Kind | None:
    was, now = before.decision == "allow", after.decision == "allow"
    if was != now:
        return Kind.ALLOWED if now else Kind.DENIED
    return None if _carried(before) == _carried(after) else Kind.OTHER


def _carried(answer: Answer) -> tuple[object, ...]:
    """Return what callers and upstreams get, and why."""
    same = {name: values for name, values in answer.response_headers.items() if not name.startswith("x-authz-")}
    return (
        answer.decision, answer.reason, answer.status, answer.rules, answer.limits, answer.message, answer.location,
        answer.request_headers, answer.removed_headers, answer.query, answer.removed_query, answer.metadata, same,
    )  # fmt: skip


def told(answer: Answer) -> str:
    """Return a decision in a line."""
    by = ", ".join(answer.limits or answer.rules or answer.policies)
    return f"{answer.decision} {answer.status} {answer.reason}" + (f" by {by}" if by else "")
