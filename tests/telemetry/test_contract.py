"""The numbers have the names and labels that dashboards hold on to, on a live service beside a live Redis."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.deploy.service import Service

if TYPE_CHECKING:
    from collections.abc import Callable

    from prometheus_client.metrics_core import Metric

WITHIN = 30.0
CONTRACT: dict[str, set[str]] = {
    "authz_checks_total": {"decision", "reason"},
    "authz_check_duration_seconds_bucket": {"le"},
    "authz_rules_total": {"document", "rule", "effect", "mode"},
    "authz_limits_total": {"limit", "outcome"},
    "authz_policy_generation": set(),
    "authz_policy_age_seconds": set(),
    "authz_policy_reloads_total": {"result"},
    "authz_identity_total": {"provider", "outcome"},
    "authz_jwks_age_seconds": {"provider"},
    "authz_redis_up": set(),
    "authz_redis_round_trip_seconds_bucket": {"le"},
    "authz_redis_batch_size_bucket": {"le"},
    "authz_limiter_degraded": set(),
    "authz_audit_dropped_total": set(),
    "authz_inflight": set(),
}
"""INTERFACE, section 6: samples and their labels. A name may be added and none taken away."""


def families(service: Service, until: Callable[[dict[str, Metric]], bool]) -> dict[str, Metric]:
    """Read the page until it shows what it should."""
    deadline = time.monotonic() + WITHIN
    while True:
        read = {family.name: family for family in text_string_to_metric_families(service.page("/metrics"))}
        if until(read):
            return read
        assert time.monotonic() < deadline, read
        time.sleep(0.05)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Metric]:
    """Return what a service shows once every kind of number has been counted."""
    with Service(tmp_path_factory.mktemp("service")) as service:
        return families(
            service, lambda read: bool(read["authz_identity"].samples and read["authz_jwks_age_seconds"].samples)
        )


@pytest.mark.parametrize("name", CONTRACT)
def test_every_name_of_the_contract_is_there_with_its_labels(page: dict[str, Metric], name: str) -> None:
    """A dashboard that was made for the contract finds its data."""
    found = [sample for family in page.values() for sample in family.samples if sample.name == name]
    assert found
    assert all(set(sample.labels) == CONTRACT[name] for sample in found)


def test_every_name_says_what_it_counts(page: dict[str, Metric]) -> None:
    """Each family has a line of help and the prefix of the service."""
    assert all(family.documentation and name.startswith("authz_") for name, family in page.items())


def test_labels_come_from_policies_and_closed_sets(page: dict[str, Metric]) -> None:
    """O5: requests for ever new paths, and with keys, leave neither in a label."""
    labels = {value for family in page.values() for sample in family.samples for value in sample.labels.values()}
    assert not any(value.startswith("/") for value in labels)
    assert len(labels) < 100
