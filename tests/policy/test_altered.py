"""The same policies over other data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from authz.policy import Compiler, PolicySet, Unfit
from authz.policy.documents import DataSpec
from authz.policy.documents.tests import PolicyTest
from authz.policy.reading import TESTS, read
from authz.policy.source import Text

POLICIES = """
{apiVersion: authz/v1, kind: Policy, metadata: {name: p}, spec: {
  match: [{paths: ["/**"]}],
  rules: [
    {name: frozen, deny: data.freeze.active}, {name: risky, deny: client.ip.inSet(data.risky)},
    {name: known, allow: 'request.headers["x-tenant"] in data.tenants'}]}}
---
{apiVersion: authz/v1, kind: Data, metadata: {name: freeze}, spec: {map: {active: false}}}
---
{apiVersion: authz/v1, kind: Data, metadata: {name: risky}, spec: {networks: [203.0.113.0/24]}}
---
{apiVersion: authz/v1, kind: Data, metadata: {name: tenants}, spec: {values: [acme]}}
"""


def said(data: str) -> dict[Text, DataSpec]:
    """Return data as a test says it."""
    text = f"{{apiVersion: authz/v1, kind: PolicyTest, metadata: {{name: t}}, spec: {{cases: [], data: {data}}}}}"
    (document,) = read("t_test.yaml", text.encode(), TESTS).documents
    assert isinstance(document, PolicyTest)
    return dict(document.spec.data)


@pytest.fixture
def policies(compiler: Compiler) -> PolicySet:
    """Return policies that read data of each kind."""
    return compiler.compile({"p.yaml": POLICIES.encode()})


@pytest.fixture
def rule(make: Any) -> Callable[[PolicySet], str | None]:
    """Return the rule that settles a request of acme's from 198.51.100.1."""

    def rule_(policies: PolicySet) -> str | None:
        request = make.request({"headers": {"x-tenant": "acme"}})
        return policies.select(request).decide(make.facts(request, None, "198.51.100.1")).rule

    return rule_


@pytest.mark.parametrize(
    ("data", "settles"),
    [
        ("{}", "known"),
        ("{freeze: {map: {active: true}}}", "frozen"),
        ("{risky: {networks: [198.51.100.0/24]}}", "risky"),
        ("{tenants: {values: [globex]}}", None),
        ("{tenants: {values: []}}", None),
    ],
)
def test_each_kind_of_data_can_say_something_else(
    policies: PolicySet, rule: Callable[[PolicySet], str | None], data: str, settles: str | None
) -> None:
    """The policies themselves go on deciding as before."""
    assert rule(policies.with_data(said(data))) == settles
    assert rule(policies) == "known"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ("{freze: {map: {}}}", 'no data is called "freze"'),
        ("{tenants: {values: [1]}}", '"tenants" is a list(string) to the policies, and a list(int) here'),
        ("{risky: {map: {}}}", '"risky" is a authz.v1.NetworkSet to the policies, and a map(string, dyn) here'),
        ("{freeze: {map: {file: x.yaml}}}", 'the file "x.yaml" is not there'),
    ],
)
def test_what_does_not_fit_is_a_fault(policies: PolicySet, data: str, told: str) -> None:
    """L5: another type would be an error in every expression that reads it."""
    with pytest.raises(Unfit) as found:
        policies.with_data(said(data))
    assert [fault.message for fault in found.value.faults] == [told]
