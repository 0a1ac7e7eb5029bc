"""What is counted is shown, under the names of the contract, with bounded labels."""

from __future__ import annotations

import sys
import threading

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from authz.model import (
    ANONYMOUS,
    UNLIMITED,
    Charge,
    Decision,
    DocumentTrace,
    Effect,
    Identity,
    Limit,
    LimitOutcome,
    LimitUsage,
    Mode,
    Outcome,
    Reason,
    Usage,
)
from authz.telemetry import Metrics

ALLOWED = Decision(
    effect=Effect.ALLOW,
    reason=Reason.ALLOWED,
    status=200,
    documents=(DocumentTrace(name="orders", kind="Policy", mode=Mode.ENFORCE, outcome="allow", rule="readers"),),
)


def outcome(
    decision: Decision = ALLOWED, usage: Usage = UNLIMITED, identity: Identity = ANONYMOUS, duration: float = 80e-6
) -> Outcome:
    """Return an outcome; durations are seconds."""
    return Outcome(
        id="d", decision=decision, request=None, identity=identity, usage=usage, generation=1, policy_digest="",
        duration=duration,
    )  # fmt: skip


def samples(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Read the page as Prometheus does."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(metrics.page().decode())
        for sample in family.samples
    }


def test_preflights_are_counted_as_what_they_were_told() -> None:
    """One reason, two effects: a preflight that is refused does not count as one that was answered, or the reverse."""
    metrics = Metrics()
    documents = (DocumentTrace(name="orders", kind="Policy", mode=Mode.ENFORCE, outcome="none"),)
    for effect, status in ((Effect.ANSWER, 204), (Effect.DENY, 403), (Effect.DENY, 403)):
        metrics(outcome(Decision(effect=effect, reason=Reason.PREFLIGHT, status=status, documents=documents)))
    seen = samples(metrics)
    assert seen["authz_checks_total", (("decision", "answer"), ("reason", "preflight"))] == 1
    assert seen["authz_checks_total", (("decision", "deny"), ("reason", "preflight"))] == 2


def test_an_outcome_is_counted_by_decision_rule_and_duration() -> None:
    """One check shows in checks, rules and the right buckets of the histogram."""
    metrics = Metrics()
    metrics(outcome())
    seen = samples(metrics)
    assert seen["authz_checks_total", (("decision", "allow"), ("reason", "allowed"))] == 1
    labels = (("document", "orders"), ("effect", "allow"), ("mode", "enforce"), ("rule", "readers"))
    assert seen["authz_rules_total", labels] == 1
    assert seen["authz_check_duration_seconds_bucket", (("le", "5e-05"),)] == 0
    assert seen["authz_check_duration_seconds_bucket", (("le", "0.0001"),)] == 1
    assert seen["authz_check_duration_seconds_bucket", (("le", "+Inf"),)] == 1
    assert seen["authz_check_duration_seconds_count", ()] == 1
    assert seen["authz_check_duration_seconds_sum", ()] == pytest.approx(80e-6)


@pytest.mark.parametrize(("duration", "bucket"), [(0.0, "5e-05"), (50e-6, "5e-05"), (51e-6, "0.0001"), (1.0, "1.0")])
def test_a_bucket_holds_its_own_bound(duration: float, bucket: str) -> None:
    """`le` is "less or equal", as Prometheus has it."""
    metrics = Metrics()
    metrics(outcome(duration=duration))
    name = "authz_check_duration_seconds_bucket"
    seen = {labels[0][1]: value for (family, labels), value in samples(metrics).items() if family == name}
    assert next(bound for bound, value in seen.items() if value) == bucket


def test_what_takes_longer_than_any_bound_is_in_the_last_bucket() -> None:
    """A check that hung shows in `+Inf` alone."""
    metrics = Metrics()
    metrics(outcome(duration=1.5))
    seen = samples(metrics)
    assert seen["authz_check_duration_seconds_bucket", (("le", "1.0"),)] == 0
    assert seen["authz_check_duration_seconds_bucket", (("le", "+Inf"),)] == 1


@pytest.mark.parametrize("shared", [True, False])
def test_nothing_is_lost_where_several_threads_count(monkeypatch: pytest.MonkeyPatch, *, shared: bool) -> None:
    """Every outcome is in every number, whether decisions share what documents said or each has its own."""
    monkeypatch.setattr("authz.telemetry.metrics.MOST_SPOKEN", 3)
    metrics, threads, each = Metrics(), 4, 5000
    begin = threading.Barrier(threads + 1)

    def count() -> None:
        begin.wait()
        for _ in range(each):
            documents = ALLOWED.documents if shared else (msgspec.structs.replace(ALLOWED.documents[0]),)
            metrics(outcome(msgspec.structs.replace(ALLOWED, documents=documents)))

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        workers = [threading.Thread(target=count) for _ in range(threads)]
        for worker in workers:
            worker.start()
        begin.wait()
        while any(worker.is_alive() for worker in workers):
            metrics.counts()
        for worker in workers:
            worker.join()
    finally:
        sys.setswitchinterval(interval)
    now = metrics.counts()
    assert [sum(now.checks.values()), sum(now.rules.values()), sum(now.durations)] == [threads * each] * 3
    assert now.seconds == pytest.approx(threads * each * 80e-6)


def test_limits_and_providers_are_counted_by_outcome() -> None:
    """A limit that is over and a provider that accepted are named."""
    limit = Limit(name="orders/per-subject", requests=3, period=60)
    usage = LimitUsage(charge=Charge(limit=limit, key=("a",)), outcome=LimitOutcome.OVER, remaining=0, reset=5.0)
    metrics = Metrics()
    metrics(outcome(usage=Usage(admitted=False, limits=(usage,)), identity=Identity(provider="staff")))
    seen = samples(metrics)
    assert seen["authz_limits_total", (("limit", "orders/per-subject"), ("outcome", "over"))] == 1
    assert seen["authz_identity_total", (("outcome", "ok"), ("provider", "staff"))] == 1


def test_numbers_kept_elsewhere_are_read_at_scrape_time() -> None:
    """A gauge and a counter show what their owner says at that moment."""
    metrics = Metrics()
    dropped = [0]
    metrics.read("authz_audit_dropped_total", "Records dropped.", lambda: {(): dropped[0]})
    metrics.read("authz_policy_reloads_total", "Reloads.", lambda: {("loaded",): 2}, ["result"])
    metrics.read("authz_policy_generation", "Generation.", lambda: {(): 4})
    dropped[0] = 7
    seen = samples(metrics)
    assert seen["authz_audit_dropped_total", ()] == 7
    assert seen["authz_policy_reloads_total", (("result", "loaded"),)] == 2
    assert seen["authz_policy_generation", ()] == 4


def test_labels_hold_only_names_from_policies_and_closed_enums() -> None:
    """O5: a hundred thousand different callers make no new series."""
    metrics = Metrics()
    for number in range(1000):
        metrics(outcome(identity=Identity(provider="staff", subject=f"user-{number}")))
    assert len(samples(metrics)) < 40
