"""The documents that are made of an API."""

from __future__ import annotations

from pathlib import Path

from authz.cli.from_openapi.policies import Wanted, made
from authz.cli.from_openapi.proving import Issuing
from authz.cli.from_openapi.reading import read

WANTED = Wanted(Issuing(audiences=("shop",), trust_domains=("cluster.local",)), hosts=("api.example.com",))


def test_a_guardrail_holds_requests_against_the_description(shop: Path) -> None:
    """It governs all paths of the API's servers, also those that nobody describes."""
    (contract,) = made(read(shop), WANTED).documents["contract.yaml"]

    assert (contract["kind"], contract["metadata"]["name"]) == ("Guardrail", "web-shop-contract")
    assert contract["spec"]["match"] == [{"hosts": ["api.example.com"], "paths": ["/v1/**"]}]
    assert contract["spec"]["validate"] == [{"name": "api", "openapi": "shop.yaml"}]


def test_a_rule_says_what_an_operation_asks_for(shop: Path) -> None:
    """Method, path, and one of the ways in; a path that `match` cannot write takes any segment there."""
    documents = made(read(shop), WANTED).documents
    (policy,), (people,) = documents["orders.yaml"], documents["people.yaml"]
    rules = {rule["name"]: rule["allow"] for rule in policy["spec"]["rules"]}

    assert rules["list"] == (
        'request.method == "GET" && request.path.glob("/v1/orders") && '
        '((identity.provider == "token" && hasAll(identity.scopes, ["orders:read"])) || identity.provider == "key")'
    )
    assert rules["read"] == 'request.method == "GET" && request.path.glob("/v1/orders/*")'
    assert people["spec"]["match"][0]["paths"] == ["/v1/people/*"]
    assert policy["spec"]["identity"] == {"providers": ["key", "token"], "required": False}
    assert people["spec"]["identity"] == {"providers": ["basic", "mesh"], "required": True}


def test_what_is_to_be_looked_at_is_said(shop: Path) -> None:
    """Empty files of entries, and operations that no request could be made for."""
    notes = made(read(shop), WANTED).notes

    assert any("key-keys.yaml is empty" in note for note in notes)
    assert any("write a request for get-hard by hand" in note for note in notes)
