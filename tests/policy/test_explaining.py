"""How a decision came about."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from authz.audit import ReadsForm, ReadsWriter
from authz.content import SchemaValidators
from authz.model import UNLIMITED, Charge, Limit, LimitOutcome, LimitUsage, Usage
from authz.policy import Compiler
from authz.policy.explained import Said

if TYPE_CHECKING:
    from conftest import Make

    from authz.policy import Explanation
    from authz.policy.explained import Missing, ShownPart

CANARY = "canary-5ecret"

POLICIES = """
apiVersion: authz/v1
kind: Guardrail
metadata: {name: networks}
spec:
  rules: [{name: listed, deny: 'client.ip == "192.0.2.1"'}]
---
apiVersion: authz/v1
kind: Policy
metadata: {name: orders}
spec:
  match: [{hosts: [api.example.com], paths: ["/orders/{id}"], methods: [GET, POST]}]
  identity: {providers: [staff], required: false}
  variables:
    mine: identity.claims.tenant == request.headers["x-tenant"]
    token: request.headers[?"authorization"].orValue("none")
  rules:
    - {name: evil, deny: 'variables.token.startsWith("Basic") || request.headers["x-tenant"] == "evil"'}
    - {name: readers, allow: 'request.method == "GET" && "orders:read" in identity.scopes && variables.mine'}
    - {name: writers, allow: 'request.method == "POST" && (variables.mine || identity.subject == "root")'}
    - {name: tried, allow: 'request.json.sku == "a"', mode: shadow}
  limits:
    - {name: each, key: [identity.subject, variables.token], rate: 3/minute}
---
apiVersion: authz/v1
kind: Policy
metadata: {name: shadowed}
spec:
  mode: shadow
  match: [{paths: ["/orders/**"]}]
  rules: [{name: nobody, deny: true}]
---
apiVersion: authz/v1
kind: Policy
metadata: {name: elsewhere}
spec:
  match: [{hosts: [other.example.com], paths: ["/orders/{id}"]}]
  rules: [{name: all, allow: true}]
---
apiVersion: authz/v1
kind: Policy
metadata: {name: deletes}
spec:
  match: [{hosts: [api.example.com], paths: ["/orders/{id}"], methods: [DELETE]}]
  rules: [{name: all, allow: true}]
---
apiVersion: authz/v1
kind: Policy
metadata: {name: unlike}
spec:
  match: [{hosts: [other.example.com], paths: ["/other"]}]
  rules: [{name: all, allow: true}]
"""


def explained(
    make: Make,
    request: dict[str, Any],
    identity: dict[str, Any] | None = None,
    usage: Usage = UNLIMITED,
    ip: str = "10.0.0.1",
) -> Explanation:
    """Return the explanation of a request."""
    policies = Compiler(validators=SchemaValidators(), providers=("staff",)).compile({"a.yaml": POLICIES.encode()})
    facts = make.facts(make.request({"path": "/orders/7", "headers": {"x-tenant": "acme"}, **request}), identity, ip)
    decision = policies.select(facts.request).decide(facts)
    return policies.explain(facts, decision, usage, ReadsWriter(ReadsForm.VALUES, b"k"))


def said(explanation: Explanation) -> dict[str, Said]:
    """Return what each rule said."""
    return {f"{document.name}/{rule.name}": rule.said for document in explanation.documents for rule in document.rules}


def parts(part: ShownPart) -> dict[str, ShownPart]:
    """Return the parts of an expression by their text."""
    return {part.text: part} | {text: each for below in part.parts for text, each in parts(below).items()}


def texts(missing: tuple[Missing, ...]) -> list[Any]:
    """Return what was missing, as texts; alternatives are lists."""
    return [(one.text, [texts(way) for way in one.either]) if one.either else one.text for one in missing]


def test_every_rule_says_what_it_says(make: Make) -> None:
    """Also those that the decision did not get to, those in shadow, and those of documents in shadow."""
    explanation = explained(make, {}, {"subject": "bob", "scopes": ["orders:write"], "claims": {"tenant": "acme"}})
    assert explanation.decision["reason"] == "no_rule"
    assert said(explanation) == {
        "networks/listed": Said.FAILS, "orders/evil": Said.FAILS, "orders/readers": Said.FAILS,
        "orders/writers": Said.FAILS, "orders/tried": Said.ERROR, "shadowed/nobody": Said.HOLDS,
    }  # fmt: skip
    orders = explanation.documents[1]
    assert (orders.file, orders.route, orders.outcome) == ("a.yaml", "/orders/{id}", "deny")


def test_parts_have_their_values_and_what_was_not_asked_has_none(make: Make) -> None:
    """Of `&&` what comes behind a false is left out; a variable is shown once, as what it is made of."""
    orders = explained(make, {}, {"scopes": ["orders:write"], "claims": {"tenant": "acme"}}).documents[1]
    readers = next(rule for rule in orders.rules if rule.name == "readers")
    assert readers.condition is not None
    shown = parts(readers.condition.whole)
    assert shown['request.method == "GET"'].values == (True,)
    assert shown['"orders:read" in identity.scopes'].values == (False,)
    assert shown["identity.scopes"].values == (["orders:write"],)
    assert not shown["variables.mine"].asked
    assert orders.variables["variables.mine"].whole.values == (True,)


def test_what_would_have_let_it_through_is_named(make: Make) -> None:
    """The false conjuncts of each allow rule, of an alternative each side, of a variable what it is made of."""
    explanation = explained(make, {"method": "POST"}, {"subject": "bob", "claims": {"tenant": "globex"}})
    ways = {(way.document, way.rule): way for way in explanation.ways}
    assert list(ways) == [("orders", "readers"), ("orders", "writers")]
    assert texts(ways["orders", "readers"].missing)[0] == 'request.method == "GET"'
    (either,) = texts(ways["orders", "writers"].missing)
    mine = ("variables.mine", [['identity.claims.tenant == request.headers["x-tenant"]']])
    assert either == ('variables.mine || identity.subject == "root"', [[mine], ['identity.subject == "root"']])
    leaf = ways["orders", "writers"].missing[0].either[0][0].either[0][0]
    assert leaf.found == 'identity.claims.tenant is "globex", request.headers["x-tenant"] is "acme"'


def test_a_rule_that_denies_is_in_the_way(make: Make) -> None:
    """What made it hold is what should not have been."""
    explanation = explained(
        make, {"headers": {"x-tenant": "evil"}}, {"scopes": ["orders:read"], "claims": {"tenant": "evil"}}
    )
    assert [(way.document, way.rule) for way in explanation.ways] == [("orders", "evil")]
    assert texts(explanation.ways[0].missing) == ['!(request.headers["x-tenant"] == "evil")']
    assert [rule.name for document in explanation.documents for rule in document.rules if rule.settled] == ["evil"]


def test_a_limit_that_is_over_says_what_it_counts_under(make: Make) -> None:
    """Limits show what they count under, what is left, and when there will be more."""
    charge = Charge(limit=Limit(name="orders/each", requests=3, period=60.0), key=("alice", "none"))
    usage = Usage(
        admitted=False, limits=(LimitUsage(charge=charge, outcome=LimitOutcome.OVER, remaining=0, reset=12.0),)
    )
    explanation = explained(make, {}, {"scopes": ["orders:read"], "claims": {"tenant": "acme"}}, usage)
    (limit,) = explanation.documents[1].limits
    assert (limit.key[0], limit.cost, limit.remaining, limit.reset) == ("alice", 1, 0, 12.0)


@pytest.mark.parametrize(
    "headers",
    [
        {"x-tenant": "acme", "authorization": f"Basic {CANARY}"},
        {"x-tenant": "acme", "authorization": f"Bearer {CANARY}", "cookie": CANARY, "x-api-key": CANARY},
    ],
)
def test_no_credential_is_in_an_explanation(make: Make, headers: dict[str, str]) -> None:
    """O2: not in a part, not by way of a variable, not in the key of a limit, not among headers and claims."""
    identity = {"scopes": ["orders:read"], "claims": {"tenant": "acme", "refresh_token": CANARY}}
    shown = msgspec.json.encode(explained(make, {"headers": headers}, identity)).decode()
    assert CANARY not in shown
    assert "$fingerprint" in shown
    assert '"values":[true]' in shown


def test_documents_that_nearly_govern_are_named_with_why(make: Make) -> None:
    """All but one of host, path and method fit; what is further away is no help."""
    explanation = explained(make, {})
    assert {near.name: near.because for near in explanation.near} == {
        "elsewhere": "its host is other.example.com, not api.example.com",
        "deletes": "its methods are DELETE, not GET",
    }
    assert explained(make, {"path": "/order/7"}).near[0].because == "its path is /orders/{id}"


def test_a_request_that_nothing_governs_lacks_a_policy(make: Make) -> None:
    """`no_policy` says so, and names what comes near."""
    explanation = explained(make, {"path": "/orders/7/items"})
    assert explanation.decision["reason"] == "no_policy"
    assert texts(explanation.ways[0].missing) == ["a policy that governs the request"]
    assert "orders" in {near.name for near in explanation.near}


SIGNED = """
apiVersion: authz/v1
kind: Data
metadata: {name: hook}
spec: {secret: {file: hook.secret}}
---
apiVersion: authz/v1
kind: Policy
metadata: {name: hooks}
spec:
  match: [{paths: ["/**"]}]
  variables: {wanted: 'hash.hmac_sha256(data.hook, request.headers["x-text"])'}
  rules:
    - {name: signed, allow: 'hash.equal(variables.wanted, request.headers["x-signature"])'}
    - {name: listed, allow: '["x", variables.wanted].exists(one, one == "")'}
  limits: [{name: each, key: variables.wanted, rate: 3/minute}]
"""


def test_nobody_gets_a_signature_by_asking_for_an_explanation(make: Make) -> None:
    """O2: who may look at decisions could sign any text of theirs otherwise; not even as the key of a limit."""
    key = b"0123456789abcdef"
    policies = Compiler(validators=SchemaValidators()).compile({"a.yaml": SIGNED.encode(), "hook.secret": key})
    facts = make.facts(make.request({"headers": {"x-text": "pay", "x-signature": "0"}}))
    decision = policies.select(facts.request).decide(facts)
    told = policies.explain(facts, decision, UNLIMITED, ReadsWriter(ReadsForm.VALUES, b"k"))
    assert hmac.digest(key, b"pay", "sha256").hex() not in msgspec.json.encode(told).decode()
