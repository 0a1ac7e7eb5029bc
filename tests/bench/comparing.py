"""How two things are compared: turn by turn in the same run, and as a ratio.

Absolute numbers belong to a machine and to a moment, and other work on the machine comes and goes. So the sides take
turns, each round gives one ratio, and what is reported is the median of the rounds with the lowest and the highest one.
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, TypeVar

import load
import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from servers import Server

T = TypeVar("T")
Pair = tuple[float, float]
IN_FLIGHT = 64


class BenchmarkError(Exception):
    """What was to be measured did not happen."""


class Effort(msgspec.Struct, frozen=True, kw_only=True):
    """How long to measure: rounds per side, seconds per round, seconds before each that do not count."""

    rounds: int
    seconds: float
    warm_up: float


FULL = Effort(rounds=7, seconds=2.0, warm_up=0.5)
QUICK = Effort(rounds=3, seconds=0.5, warm_up=0.2)


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """What one side did in one round: calls per second of the clock, and per second of CPU that the server got.

    The two agree where the server has its core for itself; where it has not, the second is the fairer one.
    """

    rate: float
    per_cpu: float


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One comparison: `ratio` is subject to baseline, the median over the rounds, between `low` and `high`.

    `at_least` and `at_most` are the bounds of the ratio that the project has set itself, if any.
    """

    benchmark: str
    measure: str
    baseline: str
    subject: str
    baseline_value: float
    subject_value: float
    ratio: float
    low: float
    high: float
    at_least: float | None = None
    at_most: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the ratio keeps its bound; None where there is none."""
        if self.at_least is not None:
            return self.ratio >= self.at_least
        return None if self.at_most is None else self.ratio <= self.at_most


def closed_loop(server: Server, payloads: Sequence[bytes], effort: Effort, method: str = load.CHECK) -> Round:
    """Keep `IN_FLIGHT` calls in flight at this server for one round. Raises BenchmarkError if any fails."""
    load.run(server.target, payloads, seconds=effort.warm_up, in_flight=IN_FLIGHT, method=method)
    before = server.cpu()
    measured = load.run(server.target, payloads, seconds=effort.seconds, in_flight=IN_FLIGHT, method=method)
    if measured.errors:
        raise BenchmarkError(f"{server.target}: {dict(measured.errors)} in {measured.calls} calls")
    return Round(rate=measured.rate, per_cpu=measured.calls / (server.cpu() - before))


def in_turns(rounds: int, baseline: Callable[[], T], subject: Callable[[], T]) -> list[tuple[T, T]]:
    """Measure both sides in every round; who comes first changes from round to round."""
    pairs = []
    for number in range(rounds):
        if number % 2:
            second = subject()
            pairs.append((baseline(), second))
        else:
            first = baseline()
            pairs.append((first, subject()))
    return pairs


def rounds_rows(
    benchmark: str, sides: tuple[str, str], rounds: Sequence[tuple[Round, Round]], *, at_least: float | None = None
) -> list[Row]:
    """Return what rounds say of calls per second (to which the bound applies) and per CPU second."""
    rates = [(baseline.rate, subject.rate) for baseline, subject in rounds]
    per_cpu = [(baseline.per_cpu, subject.per_cpu) for baseline, subject in rounds]
    return [
        row(benchmark, f"calls/s, {IN_FLIGHT} in flight", sides, rates, at_least=at_least),
        row(benchmark, "calls per CPU second", sides, per_cpu),
    ]


def row(
    benchmark: str,
    measure: str,
    sides: tuple[str, str],
    pairs: Sequence[Pair],
    *,
    at_least: float | None = None,
    at_most: float | None = None,
) -> Row:
    """Return the comparison of measured pairs (baseline, subject)."""
    ratios = sorted(subject / baseline for baseline, subject in pairs)
    return Row(
        benchmark=benchmark,
        measure=measure,
        baseline=sides[0],
        subject=sides[1],
        baseline_value=median(baseline for baseline, _ in pairs),
        subject_value=median(subject for _, subject in pairs),
        ratio=median(ratios),
        low=ratios[0],
        high=ratios[-1],
        at_least=at_least,
        at_most=at_most,
    )
