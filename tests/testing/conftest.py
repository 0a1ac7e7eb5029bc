"""Policies of every sort of caller, and tests about them, written short."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest

from authz.identity.api_keys import digest
from authz.identity.passwords import hashed
from authz.policy import PolicySet
from authz.server.deciding import compiler
from authz.testing import Result, read_suites, run

KEYS = f"""
- {{id: acme-2026, sha256: {digest(b"a")}, subject: acme, scopes: [orders:read]}}
- {{id: acme-2020, sha256: {digest(b"b")}, subject: acme, expires: "2020-01-01T00:00:00Z"}}
"""
USERS = f"[{{id: olga@example.com, hash: '{hashed('correct horse')}', subject: olga, scopes: [orders:read]}}]"
POLICIES = """
apiVersion: authz/v1
kind: IdentityProvider
metadata: {name: staff}
spec:
  jwt:
    issuer: https://login.example.com/
    audiences: [orders-api]
    jwks: {uri: https://login.example.com/keys, max_stale: 2h}
    algorithms: [RS256]
    claims: {roles: realm_access.roles, subject: preferred_username}
---
apiVersion: authz/v1
kind: IdentityProvider
metadata: {name: partner}
spec: {api_key: {from: [{header: x-api-key}], keys: keys.yaml}}
---
apiVersion: authz/v1
kind: IdentityProvider
metadata: {name: office}
spec: {basic: {users: users.yaml}}
---
apiVersion: authz/v1
kind: IdentityProvider
metadata: {name: mesh}
spec: {peer_certificate: {trust_domains: [cluster.local]}}
---
apiVersion: authz/v1
kind: IdentityProvider
metadata: {name: edge}
spec: {envoy_jwt: {issuer: https://edge.example.com/, payload_key: payload}}
---
apiVersion: authz/v1
kind: Policy
metadata: {name: orders}
spec:
  match: [{paths: ["/orders", "/orders/{id}"]}]
  identity: {providers: [staff, partner, mesh, edge, office]}
  variables:
    own: request.headers["x-tenant"] == identity.claims.tenant
  validate:
    - {name: body, when: 'request.method == "POST"', content_type: application/json, schema: {required: [sku]}}
  rules:
    - {name: nobody-deletes, deny: 'request.method == "DELETE"', message: Orders are cancelled.}
    - name: admins
      allow: '"admin" in identity.roles'
      request_headers: {set: {x-subject: "${identity.subject}"}, remove: [authorization]}
      response_headers: {set: {cache-control: private}}
      query: {set: {by: "${identity.subject}"}, remove: [debug]}
      metadata: {tenant: "${identity.claims.tenant}"}
    - {name: own-orders, allow: variables.own}
    - {name: partners, allow: '"orders:read" in identity.scopes'}
    - {name: mesh, allow: identity.provider == "mesh"}
    - {name: next, deny: 'request.method == "PUT"', mode: shadow}
  limits:
    - {name: per-subject, when: 'request.method == "POST"', key: identity.subject, rate: 2/minute,
       algorithm: fixed-window, on_error: deny}
---
apiVersion: authz/v1
kind: Policy
metadata: {name: open}
spec:
  match: [{paths: ["/open"]}]
  rules: [{name: all, allow: true}]
"""
HEAD = """
apiVersion: authz/v1
kind: PolicyTest
metadata: {name: t}
spec:
  now: 2026-11-23T12:00:00Z
  identities:
    alice: {provider: staff, subject: alice, claims: {tenant: acme}}
    root: {provider: staff, subject: root, roles: [admin], claims: {tenant: acme}}
    late: {provider: staff, subject: late, claims: {tenant: acme, exp: 1700000000}}
    mallory: {provider: staff, error: invalid_credentials}
    unsure: {provider: staff, error: identity_unavailable}
    acme: {provider: partner, key_id: acme-2026}
    old: {provider: partner, key_id: acme-2020}
    olga: {provider: office, key_id: "olga@example.com"}
    robot: {provider: mesh, subject: spiffe://cluster.local/ns/shop/sa/web}
    edgar: {provider: edge, subject: edgar, claims: {tenant: acme}}
  requests:
    read: {url: https://shop.example.com/orders/7?debug=1, headers: {x-tenant: acme}}
    place: {like: read, method: POST, url: https://shop.example.com/orders, json: {sku: a}}
    drop: {like: read, method: DELETE}
    open: {url: https://shop.example.com/open}
"""


@pytest.fixture(scope="session")
def policies() -> PolicySet:
    """Return policies with a provider of every kind."""
    return compiler("auto").compile(
        {"p.yaml": POLICIES.encode(), "keys.yaml": KEYS.encode(), "users.yaml": USERS.encode()}
    )


@pytest.fixture
def tried(policies: PolicySet) -> Callable[[str], tuple[Result, ...]]:
    """Run tests given as the rest of a spec."""

    def tried_(text: str) -> tuple[Result, ...]:
        content = HEAD + textwrap.indent(textwrap.dedent(text), "  ")
        return run(read_suites({"t_test.yaml": content.encode()}), policies)

    return tried_


@pytest.fixture
def wrong(tried: Callable[[str], tuple[Result, ...]]) -> Callable[[str], list[str]]:
    """Run tests and return what is not as expected, each as a sentence."""

    def wrong_(text: str) -> list[str]:
        findings = [finding for result in tried(text) for finding in result.failures]
        return [f"{one.key}: {one.expected} != {one.actual}" for each in findings for one in each.differences]

    return wrong_
