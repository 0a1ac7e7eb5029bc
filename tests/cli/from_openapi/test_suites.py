"""The tests that come with policies."""

from __future__ import annotations

from pathlib import Path

from authz.cli.from_openapi.grouping import groups
from authz.cli.from_openapi.proving import Issuing, providers, used
from authz.cli.from_openapi.reading import read
from authz.cli.from_openapi.samples import Sampler
from authz.cli.from_openapi.suites import suite


def test_each_operation_is_called_by_who_may_and_who_may_not(shop: Path) -> None:
    """A caller with what is asked for, nobody, and a stranger where every way in asks for scopes."""
    source = read(shop)
    operations = source.description.operations
    proving = providers(used(operations), Issuing(audiences=("shop",), trust_domains=("cluster.local",)))
    group = next(group for group in groups(operations) if group.name == "orders")
    document, unmade = suite(group, proving, Sampler(source, ()))
    cases = {case["name"]: case["expect"] for case in document["spec"]["cases"]}

    assert unmade == ()
    assert document["spec"]["identities"]["token-caller"]["scopes"] == ["orders:read", "orders:write"]
    assert cases["token-caller calls post-orders"] == {"decision": "allow", "rule": "orders/post-orders"}
    assert cases["nobody calls post-orders"] == "unauthenticated"
    assert cases["token-stranger lacks what post-orders asks for"] == "no_rule"
    assert cases["anyone calls read"] == {"decision": "allow", "rule": "orders/read"}
    assert "token-stranger lacks what list asks for" not in cases
    assert cases["a parameter that nobody describes is refused"] == "invalid_body"
