"""Tests of warnings about what nobody uses."""

from __future__ import annotations

from typing import Any

from tests.policy.linting.conftest import document

PROVIDER = document("peer_certificate: {trust_domains: [cluster.local]}", kind="IdentityProvider", name="mesh")


def test_data_that_nothing_reads(warn: Any) -> None:
    """AZ409: at its name; read anywhere, also in a text, it is used."""
    data = document("values: [a]", kind="Data", name="tenants")
    assert [(one.code, one.under) for one in warn(data)] == [("AZ409", "tenants")]
    assert warn(data, document('rules: [{name: a, allow: "\\"a\\" in data.tenants"}]')) == []
    assert warn(data, document('rules: [{name: a, deny: source.port == 1, message: "${data.tenants[0]}"}]')) == []


def test_a_provider_that_no_policy_names(warn: Any) -> None:
    """AZ410: nobody is identified by it."""
    assert [(one.code, one.under) for one in warn(PROVIDER)] == [("AZ410", "mesh")]
    assert warn(PROVIDER, document("identity: {providers: [mesh]}")) == []


def test_a_variable_that_nothing_reads(warn: Any) -> None:
    """AZ411: one that another variable reads is read."""
    spec = "variables: {a: source.port, b: variables.a + 1, c: '1'}\nrules: [{name: r, allow: variables.b == 2}]"
    assert [(one.code, one.under) for one in warn(document(spec))] == [("AZ411", "c")]


def test_a_document_that_no_test_is_about(warn: Any) -> None:
    """AZ415: of documents that govern requests, unless tests are about their file."""
    policy, data = (
        document("rules: []"),
        document("values: [a]", kind="Data", name="d", annotations="{authz/ignore: AZ409}"),
    )
    assert [(one.code, one.under) for one in warn(policy, data, tested=())] == [("AZ415", "p")]
    assert warn(policy, data) == []
