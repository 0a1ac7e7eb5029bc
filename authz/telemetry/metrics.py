"""The numbers: counted plainly on the request path, given their names and shapes only when somebody looks.

A `prometheus-client` counter costs more than the rest of an observation. So an outcome leaves how long it took with
what its documents said, which many decisions share; some together are added to plain dictionaries, which a collector
reads at scrape time, and OTLP too. Labels are names from policies and closed enums: never a path, a user or a key.
Names: INTERFACE.md, section 6.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

from authz.model import ANONYMOUS, UNLIMITED
from authz.telemetry.counts import Counts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from prometheus_client.metrics_core import Metric

    from authz.model import Decision, Identity, Outcome, Usage

    _Values = Mapping[Any, float]  # from a tuple of label values to a number
    _Reading = tuple[str, str, Callable[[], _Values], tuple[str, ...]]

BUCKETS: Final[tuple[float, ...]] = (
    50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 100e-3, 250e-3, 1.0,
)  # fmt: skip
"""Upper bounds of `authz_check_duration_seconds`."""

MOST_SPOKEN = 1024
"""Combinations of what documents said that are counted as they are; decisions share most of them."""

ROOM = 64
"""Durations that wait to be counted: together they cost less than one by one."""


class _Spoken:
    """What some documents said, and how long each time took that is not counted yet.

    The documents are kept with it, so that their identity can't become another's.
    """

    __slots__ = ("documents", "durations", "room", "verdict")

    def __init__(self, decision: Decision) -> None:
        self.documents = decision.documents
        self.verdict = decision.effect, decision.reason
        self.durations: list[float] = []
        self.room = ROOM


class Metrics:
    """An observer that counts outcomes, and the page that shows every number of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._spoken: dict[tuple[int, str, str], _Spoken] = {}
        self._checks: Counter[tuple[str, str]] = Counter()
        self._rules: Counter[tuple[str, str, str, str]] = Counter()
        self._limits: Counter[tuple[str, str]] = Counter()
        self._identities: Counter[tuple[str, str]] = Counter()
        self._durations = [0] * (len(BUCKETS) + 1)
        self._seconds = 0.0
        self._readings: list[_Reading] = []
        self.registry = CollectorRegistry(auto_describe=False)
        self.registry.register(self)

    def __call__(self, outcome: Outcome) -> None:
        """Count one outcome."""
        decision, usage, identity = outcome.decision, outcome.usage, outcome.identity
        key = id(decision.documents), decision.effect, decision.reason
        spoken = self._spoken.get(key) or self._remember(key, decision)
        durations = spoken.durations
        durations.append(outcome.duration)  # one step of Python's, so it takes no lock
        if len(durations) > spoken.room:
            with self._lock:
                self._settle(spoken)
        if usage is not UNLIMITED or identity is not ANONYMOUS:
            self._count(usage, identity)

    def _remember(self, key: tuple[int, str, str], decision: Decision) -> _Spoken:
        """Begin to count what some documents said."""
        with self._lock:
            if len(self._spoken) >= MOST_SPOKEN:
                self._forget()
            return self._spoken.setdefault(key, _Spoken(decision))

    def _forget(self) -> None:
        for spoken in self._spoken.values():
            spoken.room = 0  # whoever is about to add a duration counts it at once
            self._settle(spoken)
        self._spoken.clear()

    def _settle(self, spoken: _Spoken) -> None:
        """Count what waits."""
        durations = spoken.durations[:]
        if not durations:
            return
        del spoken.durations[: len(durations)]  # more may have come meanwhile
        for duration in durations:
            self._durations[_bucket(duration)] += 1
        self._seconds += sum(durations)
        self._checks[spoken.verdict] += len(durations)
        for trace in spoken.documents:
            self._rules[trace.name, trace.rule or "", trace.outcome, trace.mode] += len(durations)

    def _count(self, usage: Usage, identity: Identity) -> None:
        with self._lock:
            for limit in usage.limits:
                self._limits[limit.charge.limit.name, limit.outcome] += 1
            if identity.provider:
                self._identities[identity.provider, identity.error or "ok"] += 1

    def read(self, name: str, about: str, value: Callable[[], _Values], labels: Sequence[str] = ()) -> None:
        """Show numbers that something else keeps: `value` is called at scrape time.

        It maps label values to numbers, `()` where there are no labels. A name that ends in `_total` is a counter,
        any other a gauge.
        """
        self._readings.append((name, about, value, tuple(labels)))

    def page(self) -> bytes:
        """Return every metric in Prometheus' text format."""
        return generate_latest(self.registry)

    def counts(self) -> Counts:
        """Return what was counted up to now."""
        with self._lock:
            for spoken in self._spoken.values():
                self._settle(spoken)
            return Counts(
                checks=dict(self._checks), rules=dict(self._rules), limits=dict(self._limits),
                identities=dict(self._identities), durations=tuple(self._durations), seconds=self._seconds,
            )  # fmt: skip

    def collect(self) -> Iterator[Metric]:
        """Give the numbers their names; called by the registry."""
        now, rule = self.counts(), ("document", "rule", "effect", "mode")
        yield _counter("authz_checks", "Checks answered.", ("decision", "reason"), now.checks)
        yield _counter("authz_rules", "What documents and rules said.", rule, now.rules)
        yield _counter("authz_limits", "What limits said.", ("limit", "outcome"), now.limits)
        yield _counter("authz_identity", "What identity providers said.", ("provider", "outcome"), now.identities)
        yield _histogram("authz_check_duration_seconds", "From bytes to answer.", now.durations, now.seconds)
        for name, about, value, labels in self._readings:
            make = _counter if name.endswith("_total") else _gauge
            yield make(name.removesuffix("_total"), about, labels, value())


def _bucket(duration: float) -> int:
    """Return which bucket a duration is in: most are in one of the first."""
    bucket = 0
    while bucket < len(BUCKETS) and duration > BUCKETS[bucket]:
        bucket += 1
    return bucket


def _counter(name: str, about: str, labels: Sequence[str], values: _Values) -> Metric:
    family = CounterMetricFamily(name, about, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def _gauge(name: str, about: str, labels: Sequence[str], values: _Values) -> Metric:
    family = GaugeMetricFamily(name, about, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def _histogram(name: str, about: str, counts: Sequence[int], total: float) -> Metric:
    family = HistogramMetricFamily(name, about)
    bounds = [*map(str, BUCKETS), "+Inf"]
    family.add_metric((), list(zip(bounds, accumulate(counts), strict=True)), total)
    return family
