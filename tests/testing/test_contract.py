"""The example of the contract (POLICY.md, section 7) over the policies of the contract (sections 2 and 6)."""

from __future__ import annotations

from pathlib import Path

from authz.server.deciding import compiler
from authz.testing import Verdict, read_suites, run
from tests.policy.documents.test_tests import CONTRACT

EXAMPLES = Path(__file__).parents[1] / "policy" / "examples"
PROVIDERS = """
apiVersion: authz/v1
kind: IdentityProvider
metadata: {name: staff}
spec:
  jwt:
    issuer: https://login.example.com/
    audiences: [orders-api]
    jwks: {uri: https://login.example.com/keys, refresh: 5m, max_stale: 24h}
    algorithms: [RS256, ES256]
    from: [{header: authorization, scheme: Bearer}, {cookie: session}]
    leeway: 30s
    claims: {subject: sub, roles: realm_access.roles, scopes: scope, groups: groups}
---
apiVersion: authz/v1
kind: IdentityProvider
metadata: {name: partner}
spec: {api_key: {from: [{header: x-api-key}], keys: partner-keys.yaml}}
"""


def test_the_contract_s_example_passes() -> None:
    """Alice reads her order, and her fourth order in a minute waits 45 seconds."""
    files = {name: (EXAMPLES / name).read_bytes() for name in ("policy.yaml", "guardrail-and-data.yaml")}
    files |= {"providers.yaml": PROVIDERS.encode(), "partner-keys.yaml": b"[]", "order.schema.json": b"{}"}
    results = run(read_suites({"orders_test.yaml": CONTRACT}), compiler("auto").compile(files))
    assert [(result.verdict, result.failures) for result in results] == [(Verdict.PASSED, ())] * 2
