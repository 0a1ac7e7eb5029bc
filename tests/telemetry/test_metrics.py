"""What is counted is shown, under the names of the contract, with bounded labels."""

from __future__ import annotations

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


def outcome(decision: Decision = ALLOWED, usage: Usage = UNLIMITED, identity: Identity = ANONYMOUS) -> Outcome:
    """Return an outcome that took 80 microseconds."""
    return Outcome(
        id="d", decision=decision, request=None, identity=identity, usage=usage, generation=1, policy_digest="",
        duration=80e-6,
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
