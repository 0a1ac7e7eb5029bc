"""Names are bound when they are needed, once, and an identity shows only where it counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from authz.model import Identity
from authz.policy import PolicySet


class CountingBody:
    """A body that knows how often it was read."""

    def __init__(self, value: object) -> None:
        self.value = value
        self.reads = 0

    def json(self) -> object:
        """Return the value, or raise it."""
        self.reads += 1
        if isinstance(self.value, ValueError):
            raise self.value
        return self.value


DOCUMENTS = """\
apiVersion: authz/v1
kind: Guardrail
metadata: {name: g}
spec:
  rules: [{name: closed, deny: request.path == "/closed"}]
---
apiVersion: authz/v1
kind: Policy
metadata: {name: p}
spec:
  match: [{paths: ["/**"]}]
  variables: {order: request.json.order, large: variables.order.size() > 2}
  rules:
    - {name: reads, allow: 'request.path == "/x" && request.json.order == "abc"'}
    - {name: large, allow: 'variables.large || variables.order == "ab"'}
---
apiVersion: authz/v1
kind: Policy
metadata: {name: q}
spec:
  match: [{paths: ["/**"]}]
  variables: {order: 'request.json.order + "!"'}
  rules: [{name: reads, allow: variables.order != "!"}]
"""


@pytest.mark.parametrize(
    ("path", "value", "effect", "reads"),
    [
        ("/closed", {"order": "abc"}, "deny", 0),
        ("/x", {"order": "abc"}, "allow", 2),
        ("/y", {"order": "ab"}, "allow", 2),
        ("/y", {"order": "a"}, "deny", 1),
        ("/y", ValueError("the body is no JSON"), "deny", 1),
    ],
)
def test_a_body_is_read_when_a_rule_needs_it(
    path: str, value: object, effect: str, reads: int, serve: Callable[..., PolicySet], make: Any
) -> None:
    """A deny rule that does not look at the body spares reading it; a scope reads it at most once, also in vain."""
    body = CountingBody(value)
    facts = msgspec.structs.replace(make.facts(make.request({"path": path})), body=body)
    decision = serve(DOCUMENTS).select(facts.request).decide(facts)
    assert (decision.effect, body.reads) == (effect, reads)


def test_the_record_says_why_a_name_had_no_value(serve: Callable[..., PolicySet], make: Any) -> None:
    """An error names the cause and not the engine's word for it, through variables too."""
    facts = msgspec.structs.replace(
        make.facts(make.request({"path": "/x"})), body=CountingBody(ValueError("the body is truncated"))
    )
    decision = serve(DOCUMENTS).select(facts.request).decide(facts)
    cause = "request.json: the body is truncated"
    assert [(error.rule, error.error) for error in decision.errors] == [
        ("p/reads", cause),
        ("p/large", f"variables.large: variables.order: {cause}; variables.order: {cause}"),
    ]
    assert decision.documents[1].error == "request.json: the body is truncated"


VIEWS = """\
apiVersion: authz/v1
kind: Policy
metadata: {name: staff}
spec:
  match: [{paths: ["/**"]}]
  identity: {providers: [staff], required: false}
  rules:
    - {name: nobody, allow: '!identity.authenticated && identity.subject == "" && identity.claims.size() == 0'}
    - {name: expired, allow: 'identity.expires < now()'}
---
apiVersion: authz/v1
kind: Policy
metadata: {name: partner}
spec:
  match: [{paths: ["/**"]}]
  identity: {providers: [partner], required: false}
  rules: [{name: somebody, allow: identity.subject == "p" && identity.claims.admin}]
---
apiVersion: authz/v1
kind: Guardrail
metadata: {name: all}
spec: {rules: [{name: never, deny: identity.subject == "blocked"}]}
"""


@pytest.mark.parametrize(
    ("provider", "subject", "policy", "rule"),
    [("partner", "p", "partner", "somebody"), ("staff", "p", "partner", None), ("partner", "blocked", "all", "never")],
)
def test_an_identity_counts_where_its_provider_is_named(
    provider: str, subject: str, policy: str, rule: str | None, serve: Callable[..., PolicySet], make: Any
) -> None:
    """A policy sees identities of the providers it names; a guardrail sees every one.

    So nobody can widen a policy by naming a provider of their own for the same paths.
    """
    identity = Identity(authenticated=True, provider=provider, subject=subject, claims={"admin": True}, expires=1e9)
    facts = msgspec.structs.replace(make.facts(make.request({"path": "/"})), identity=identity)
    decision = serve(VIEWS).select(facts.request).decide(facts)
    traces = {trace.name: trace.rule for trace in decision.documents}
    if provider == "partner" and subject == "p":
        assert traces == {"all": None, "partner": "somebody", "staff": "nobody"}
    else:
        assert (decision.effect, decision.policy, decision.rule) == ("deny", policy, rule)


def test_nul_never_reaches_a_rule(serve: Callable[..., PolicySet], make: Any) -> None:
    """A subject with NUL in it has no value, neither in a rule nor in a key nor in a header."""
    documents = """\
apiVersion: authz/v1
kind: Policy
metadata: {name: p}
spec:
  match: [{paths: ["/key", "/header", "/rule"]}]
  rules:
    - {name: rule, allow: 'request.path == "/rule" ? identity.subject == "admin" : true'}
    - {name: header, allow: 'request.path == "/header"', request_headers: {set: {x-subject: "${identity.subject}"}}}
  limits: [{name: key, when: 'request.path == "/key"', key: identity.subject, rate: 1/second}]
"""
    policies = serve(documents)
    for path, reason in (("/rule", "no_rule"), ("/header", "rule_error"), ("/key", "rule_error")):
        facts = make.facts(make.request({"path": path}), {"subject": "admin\0x"})
        assert policies.select(facts.request).decide(facts).reason == reason
