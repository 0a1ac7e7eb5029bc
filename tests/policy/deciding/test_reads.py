"""What a decision depended on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from authz._pb.envoy.service.auth.v3.attribute_context_pb2 import AttributeContext
from authz.content import SchemaValidators
from authz.model import Knowing, Location, Reason
from authz.policy import Compiler
from authz.policy.deciding.lookups import MOST_READS

if TYPE_CHECKING:
    from conftest import Make

    from authz.model import Decision
    from authz.policy import PolicySet

ORDERS = """
apiVersion: authz/v1
kind: Policy
metadata: {name: orders}
spec:
  match: [{paths: ["/orders/{id}"]}]
  identity: {providers: [staff], required: false}
  variables:
    tenant: request.headers[?"x-tenant"].orValue("none")
  rules:
    - name: late
      deny: request.method == "POST" && request.json.sku == "forbidden"
    - name: own
      allow: variables.tenant == identity.claims.tenant && request.params.id != data.closed.id
---
apiVersion: authz/v1
kind: Data
metadata: {name: closed}
spec: {map: {id: "9"}}
"""


def compiled(source: str) -> PolicySet:
    """Return a policy set."""
    return Compiler(validators=SchemaValidators(), providers=("staff",)).compile({"a.yaml": source.encode()})


def decided(make: Make, source: str, request: dict[str, Any], identity: dict[str, Any] | None = None) -> Decision:
    """Return the decision of a request."""
    facts = make.facts(make.request(request), identity)
    return compiled(source).select(facts.request).decide(facts)


def known(decision: Decision) -> dict[str, object]:
    """Return what is known of each attribute that was read."""
    assert decision.reads is not None
    entries = decision.reads.entries()
    return {str(read): read.value if read.knowing is Knowing.VALUE else read.knowing for read in entries}


def test_a_decision_names_what_its_documents_read(make: Make) -> None:
    """Each attribute once, maps by the key that is read, variables and data by what they are made of."""
    request = {"path": "/orders/7", "headers": {"x-tenant": "acme", "x-other": "1"}}
    decision = decided(make, ORDERS, request, {"claims": {"tenant": "acme", "other": 1}})
    assert decision.reason is Reason.ALLOWED
    assert known(decision) == {
        "identity.authenticated": True,
        'identity.claims["tenant"]': "acme",
        'request.headers["x-tenant"]': "acme",
        'request.json["sku"]': Knowing.UNBOUND,
        "request.method": "GET",
        'request.params["id"]': "7",
    }


def test_what_was_not_there_is_told_from_what_was_empty(make: Make) -> None:
    """An absent header is absent, an empty one is a value, and of a body that is no JSON the reason is known."""
    absent = known(decided(make, ORDERS, {"path": "/orders/7"}))
    empty = known(
        decided(
            make, ORDERS, {"path": "/orders/7", "method": "POST", "headers": {"x-tenant": ""}, "json": {"sku": "a"}}
        )
    )
    assert absent['request.headers["x-tenant"]'] is Knowing.ABSENT
    assert absent['identity.claims["tenant"]'] is Knowing.ABSENT
    assert (empty['request.headers["x-tenant"]'], empty['request.json["sku"]']) == ("", "a")


def test_a_kept_decision_keeps_its_reads_and_no_request(make: Make) -> None:
    """A decision that is found again says the same of what it depended on, and does not hold a request in memory."""
    policies = compiled(ORDERS.replace("request.json.sku", 'request.headers["x-sku"]'))
    requests = [{"path": "/orders/7", "headers": {"x-tenant": "acme", "x-other": other}} for other in "12"]
    facts = [make.facts(make.request(request), {"claims": {"tenant": "acme"}}) for request in requests]
    first, second = (policies.select(each.request).decide(each) for each in facts)
    assert second is first
    assert first.reads is not None
    assert first.reads._facts is None  # type: ignore[attr-defined]  # what it must not hold is no part of the protocol
    assert known(second)['identity.claims["tenant"]'] == "acme"


def test_a_validation_reads_the_body(make: Make) -> None:
    """A schema depends on the body though no expression says so."""
    source = ORDERS.replace("  rules:", "  validate: [{name: small, schema: {type: object}}]\n  rules:")
    decision = decided(make, source, {"path": "/orders/7", "method": "POST", "json": {"sku": "a"}})
    assert known(decision)["request.json"] == {"sku": "a"}
    assert known(decision)["request.body_state"] == "complete"


def test_reads_are_no_part_of_what_was_decided_elsewhere(make: Make) -> None:
    """Without a policy nothing was read; the decision says so."""
    assert known(decided(make, ORDERS, {"path": "/elsewhere"})) == {}


def test_a_message_is_read_by_its_fields(make: Make) -> None:
    """What is known of a place is told and the rest is absent; a call has all its fields, and a body is one value."""
    source = ORDERS.replace(
        "  rules:",
        "  rules:\n"
        "    - {name: far, deny: has(client.geo.asn) && client.geo.country == 'FR'}\n"
        "    - {name: call, deny: request.mcp.tool == 'x'}\n"
        "    - {name: raw, deny: attributes.request.http.path == 'x'}",
    )
    request = make.request({"path": "/orders/7", "json": {"method": "ping"}, "envoy": AttributeContext()})
    facts = replace(make.facts(request), locate=lambda _: Location(country="DE"))
    reads = {str(read): read for read in compiled(source).select(request).decide(facts).reads.entries()}  # type: ignore[union-attr]
    assert reads['client.geo["country"]'].value == "DE"
    assert reads['client.geo["asn"]'].knowing is Knowing.ABSENT
    assert (reads['request.mcp["tool"]'].knowing, reads['request.mcp["tool"]'].value) == (Knowing.VALUE, "")
    assert reads["attributes"].knowing is Knowing.VALUE


def test_what_a_shadow_reads_is_on_record_too(make: Make) -> None:
    """A policy that is tried in shadow can be replayed later, though it decided nothing."""
    shadow = """
---
apiVersion: authz/v1
kind: Policy
metadata: {name: tried}
spec:
  mode: shadow
  match: [{paths: ["/{kind}/{id}"]}]
  rules: [{name: new, allow: 'request.headers["x-new"] == request.params.kind'}]
"""
    decision = decided(make, ORDERS + shadow, {"path": "/orders/7", "headers": {"x-new": "yes"}})
    assert known(decision)['request.headers["x-new"]'] == "yes"
    assert known(decision)['request.params["kind"]'] == "orders"


def test_a_list_where_a_map_was_expected_is_read_whole(make: Make) -> None:
    """It has no such key, which is an error and not an absence, and it may have an index."""
    request = {"path": "/orders/7", "method": "POST", "json": [{"sku": "a"}]}
    assert known(decided(make, ORDERS, request))["request.json"] == [{"sku": "a"}]


def test_a_record_holds_so_many_reads_and_no_more(make: Make) -> None:
    """O5: documents may read hundreds of headers, and each of them is a line of every record."""
    rules = "".join(
        f"    - {{name: r{number}, deny: 'request.headers[?\"x-{number}\"].hasValue()'}}\n"
        for number in range(2 * MOST_READS)
    )
    source = f"apiVersion: authz/v1\nkind: Guardrail\nmetadata: {{name: g}}\nspec:\n  rules:\n{rules}"
    reads = decided(make, source, {"path": "/"}).reads
    assert reads is not None
    assert len(reads.entries()) == MOST_READS
