"""The documents that are made of an API."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from authz.cli.from_openapi.policies import Wanted, made
from authz.cli.from_openapi.proving import Issuing
from authz.cli.from_openapi.reading import Source, read

WANTED = Wanted(
    Issuing(issuer="https://login.example.com/", audiences=("shop",), trust_domains=("cluster.local",)),
    hosts=("api.example.com",),
)
SCHEMES = """\
paths: {{/a: {{get: {{security: {}}}}}}}
components:
  securitySchemes:
    Bearer Auth: {{type: http, scheme: bearer}}
    key: {{type: apiKey, in: header, name: x-key}}
"""


def test_a_guardrail_holds_requests_against_the_description(shop: Path) -> None:
    """It governs all paths of the API's servers, also those that nobody describes."""
    (contract,) = made(read(shop), WANTED).documents["contract.yaml"]

    assert (contract["kind"], contract["metadata"]["name"]) == ("Guardrail", "web-shop-contract")
    assert contract["spec"]["match"] == [{"hosts": ["api.example.com"], "paths": ["/v1/**"]}]
    assert contract["spec"]["validate"] == [{"name": "api", "openapi": "shop.yaml"}]


@pytest.mark.parametrize("name", ["contract.yaml", "providers.yaml", "orders.yaml"])
def test_no_document_is_lost_to_a_description_of_its_name(shop: Path, name: str) -> None:
    """However the description's own files are called: else the guardrail would be overwritten by it."""
    before = made(read(shop), WANTED)
    after = made(read(shop.rename(shop.parent / name)), WANTED)

    assert len(after.documents) == len(before.documents)
    assert after.documents.keys().isdisjoint(after.copied)
    kinds = [each["kind"] for documents in after.documents.values() for each in documents]
    assert kinds.count("Guardrail") == 1


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


def test_schemes_are_told_from_providers_of_other_names(source: Callable[[str], Source]) -> None:
    """A provider that proves two schemes, or has a name a policy can have, is named for each."""
    found = made(source(SCHEMES.format("[{Bearer Auth: []}, {key: []}]")), WANTED).documents["contract.yaml"]

    assert found[0]["spec"]["validate"][0]["security"] == {"Bearer Auth": "Bearer-Auth", "key": "key"}


def test_two_credentials_at_once_are_left_to_rules(source: Callable[[str], Source]) -> None:
    """A caller has one identity: the guardrail does not ask for two, and somebody has to look at the rules."""
    found = made(source(SCHEMES.format("[{Bearer Auth: [], key: []}]")), WANTED)

    assert found.documents["contract.yaml"][0]["spec"]["validate"][0]["security"] == "ignore"
    assert any("GET /a asks for credentials of two providers at once" in note for note in found.notes)
