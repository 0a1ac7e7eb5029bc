"""One request tried out, and why it came to that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from authz.audit import ReadsForm, ReadsWriter
from authz.cli.request import Asked, message
from authz.limits.memory import MemoryLimiter
from authz.model import Charge
from authz.policy.explained import Counts, Said
from authz.server.deciding import compiler
from authz.server.lines import Line, RequestLine
from authz.server.trying import Claimed, Trying

if TYPE_CHECKING:
    from authz.policy import PolicySet

POLICY = """\
apiVersion: authz/v1
kind: Policy
metadata: {name: orders}
spec:
  match: [{paths: ["/orders"]}]
  identity: {providers: [staff]}
  rules: [{name: mine, allow: '"read" in identity.scopes && identity.claims.tenant == "acme"'}]
  limits: [{name: each, key: identity.subject, rate: 3/minute}]
---
apiVersion: authz/v1
kind: IdentityProvider
metadata: {name: staff}
spec: {api_key: {from: [{header: x-api-key}], keys: keys.yaml}}
"""
MESH = """\
---
apiVersion: authz/v1
kind: IdentityProvider
metadata: {name: mesh}
spec: {peer_certificate: {trust_domains: [cluster.local]}}
"""
SECRETS = ReadsWriter(ReadsForm.VALUES, b"k")


def policies() -> PolicySet:
    """Return a policy set."""
    keys = f"- {{id: k, sha256: {'ab' * 32}, subject: alice}}\n"
    return compiler("auto").compile({"a.yaml": POLICY.encode(), "keys.yaml": keys.encode()})


def test_a_request_is_decided_as_the_service_would() -> None:
    """Limits begin whole each time, and the explanation says so: what is tried is charged to nobody."""
    trying = Trying(policies())
    claimed = Claimed("alice", {"scope": "read write", "tenant": "acme"})
    for _ in range(5):
        answer, outcome = trying.request(message(Asked(method="GET", url="/orders")), claimed, 1_795_435_200.0)
        assert (outcome.decision.rule, outcome.usage.limits[0].remaining) == ("mine", 2)
        assert answer
    explanation = trying.explain(outcome, SECRETS)
    assert explanation is not None
    assert explanation.identity["scopes"] == ["read", "write"]
    assert explanation.documents[0].limits[0].key == ("alice",)
    assert explanation.counts is Counts.WHOLE


def test_limits_are_looked_at_where_they_are_counted() -> None:
    """What the caller has spent there shows, and trying spends none of it."""
    set_, limiter = policies(), MemoryLimiter()
    (limit,) = set_.limits
    limiter.charge([Charge(limit=limit, key=("alice",), cost=2)], 0.0, lambda _: None)
    trying, claimed = Trying(set_, limiter=limiter), Claimed("alice", {"scope": "read write", "tenant": "acme"})
    for _ in range(5):
        _, outcome = trying.request(message(Asked(method="GET", url="/orders")), claimed, 1_795_435_200.0)
        assert (outcome.decision.effect, outcome.usage.limits[0].remaining) == ("allow", 1)
    explanation = trying.explain(outcome, SECRETS)
    assert explanation is not None
    assert explanation.counts is Counts.PEEKED
    limiter.charge([Charge(limit=limit, key=("alice",))], 0.0, lambda _: None)
    _, outcome = trying.request(message(Asked(method="GET", url="/orders")), claimed, 1_795_435_200.0)
    assert outcome.decision.reason == "rate_limited"


def test_a_caller_can_be_claimed_of_any_provider_of_the_request() -> None:
    """Of several, an author tries each; one that the request's policies do not name finds nobody."""
    text = POLICY.replace("[staff]", "[staff, mesh]") + MESH
    trying = Trying(compiler("auto").compile({"a.yaml": text.encode(), "keys.yaml": b"[]"}))
    found = []
    for provider, unasked in ((None, ""), ("mesh", ""), ("partner", 'the provider "partner": staff, mesh')):
        claimed = Claimed("alice", {}, provider)
        _, outcome = trying.request(message(Asked(method="GET", url="/orders")), claimed, 1_795_435_200.0)
        found.append((outcome.identity.provider, outcome.identity.authenticated))
        assert claimed.unasked.endswith(unasked)
    assert found == [("staff", True), ("mesh", True), ("", False)]


@pytest.mark.parametrize(
    ("provider", "status", "outcome", "said", "unasked"),
    [
        (None, 200, "would_deny", Said.FAILS, ""),
        ("mesh", 401, "allow", Said.HOLDS, 'no policy of this request names the provider "mesh": staff'),
    ],
)
def test_what_is_in_shadow_is_explained_as_it_was_decided(
    provider: str | None, status: int, outcome: str, said: Said, unasked: str
) -> None:
    """L11: with the caller whom its own providers find; and those in force are told all the same whom they did not."""
    shadow = POLICY[: POLICY.index("  limits")].replace("orders}", "planned}").replace("spec:", "spec:\n  mode: shadow")
    planned = shadow.replace("[staff]", "[mesh]")
    trying = Trying(
        compiler("auto").compile({"a.yaml": (POLICY + MESH + "---\n" + planned).encode(), "keys.yaml": b"[]"})
    )
    claimed = Claimed("alice", {"scope": "read", "tenant": "acme"}, provider)
    _, tried = trying.request(message(Asked(method="GET", url="/orders")), claimed, 1_795_435_200.0)
    explanation = trying.explain(tried, SECRETS)
    assert explanation is not None
    document = explanation.documents[-1]
    assert (tried.decision.status, document.name, document.outcome) == (status, "planned", outcome)
    assert document.rules[0].said is said
    assert claimed.unasked == unasked


@pytest.mark.parametrize(("platform", "team"), [("0/minute", "9/minute"), ("9/minute", "0/minute")])
def test_a_policy_does_not_lift_the_limit_of_a_guardrail_of_its_name(platform: str, team: str) -> None:
    """POLICY.md, section 2: a guardrail's limits are such that no policy can widen them, whatever it calls its own."""
    document = """\
apiVersion: authz/v1
kind: {kind}
metadata: {{name: api}}
spec: {{match: [{{paths: ["/**"]}}], rules: [{{name: r, {rule}}}], limits: [{{name: l, rate: {rate}}}]}}
"""
    guardrail = document.format(kind="Guardrail", rule="deny: false", rate=platform)
    policy = document.format(kind="Policy", rule="allow: true", rate=team)
    trying = Trying(compiler("auto").compile({"a.yaml": f"{guardrail}---\n{policy}".encode()}))
    _, outcome = trying.request(message(Asked(method="GET", url="/")), None, 1_795_435_200.0)
    assert outcome.decision.reason == "rate_limited"


KEYCLOAK = """
---
apiVersion: authz/v1
kind: IdentityProvider
metadata: {name: keycloak}
spec:
  jwt:
    issuer: https://login.example.com/
    jwks: {uri: https://login.example.com/keys}
    algorithms: [RS256]
    claims: {subject: oid, roles: realm_access.roles, scopes: scp}
---
apiVersion: authz/v1
kind: IdentityProvider
metadata: {name: edge}
spec: {envoy_jwt: {issuer: https://login.example.com/, payload_key: jwt, claims: {roles: realm_access.roles}}}
"""


@pytest.mark.parametrize(("provider", "scopes"), [("keycloak", ("read",)), ("edge", ())])
def test_claims_mean_what_the_provider_makes_of_them(provider: str, scopes: tuple[str, ...]) -> None:
    """Roles are where the provider's claims are: what is tried with a token's claims is what its bearer would get."""
    text = POLICY.replace("[staff]", f"[{provider}]") + KEYCLOAK
    trying = Trying(compiler("auto").compile({"a.yaml": text.encode(), "keys.yaml": b"[]"}))
    claims = {"realm_access": {"roles": ["admin", 7]}, "scp": ["read"], "roles": ["root"]}
    _, outcome = trying.request(message(Asked(method="GET", url="/orders")), Claimed("alice", claims), 1_795_435_200.0)

    identity = outcome.identity
    assert (identity.subject, identity.roles, identity.scopes) == ("alice", ("admin",), scopes)
    assert identity.issuer == "https://login.example.com/"
    assert identity.claims["oid" if provider == "keycloak" else "sub"] == "alice"


def test_who_is_calling_is_asked_of_the_policies_providers() -> None:
    """A key that nobody knows is refused, and that is what stood in the way."""
    trying = Trying(policies())
    asked = Asked(method="GET", url="/orders", headers=(("x-api-key", "nobody-knows-this-key"),))
    _, outcome = trying.request(message(asked), None, 1_795_435_200.0)
    explanation = trying.explain(outcome, SECRETS)
    assert explanation is not None
    assert explanation.decision["reason"] == "invalid_credentials"
    assert explanation.ways[0].missing[0].text == "a credential that is good"
    assert b"nobody-knows" not in msgspec.json.encode(explanation)


def test_a_record_is_explained_with_what_it_holds() -> None:
    """Documents and limits are as they were recorded; what was not recorded is undetermined."""
    line = Line(
        format="authz.record/v1", decision="deny", reason="rate_limited", status=429, policy="orders", rule="mine",
        documents=[msgspec.Raw(b'{"name":"orders","kind":"Policy","mode":"enforce","outcome":"allow","rule":"mine"}')],
        limits=[msgspec.Raw(b'{"name":"orders/each","remaining":0,"reset":30.0,"outcome":"over"}')],
        request=RequestLine(method="GET", host="h", path="/orders"),
        reads={"identity.authenticated": msgspec.Raw(b"true"), "identity.scopes": msgspec.Raw(b'["read"]')},
    )  # fmt: skip
    line = msgspec.structs.replace(line, identity=msgspec.structs.replace(line.identity, provider="staff", subject="a"))
    explanation = Trying(policies()).explain_record(line, SECRETS)
    assert explanation is not None
    (orders,) = explanation.documents
    assert (orders.outcome, orders.rules[0].said) == ("allow", "undetermined")
    assert orders.rules[0].error == 'not recorded: identity.claims["tenant"]'
    assert (orders.limits[0].outcome, orders.limits[0].remaining) == ("over", 0)
    assert Trying(policies()).explain_record(msgspec.structs.replace(line, request=None), SECRETS) is None
