"""The whole way of one request, from the command line."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from authz.cli.output import Exit

PROBLEM = (
    '{"type":"about:blank","title":"Forbidden","status":403,"detail":"Orders are cancelled, not deleted.",'
    '"reason":"deny_rule","decision_id":"ID"}'
)


@pytest.fixture
def evaluate(run: Callable[..., Any], policies: Path) -> Callable[..., Any]:
    """Run `authz eval` on the policies of these tests."""
    return lambda *arguments: run("eval", *arguments, "--policies", str(policies))


def test_an_allow_is_shown_with_what_it_changes(evaluate: Callable[..., Any]) -> None:
    """Data on standard output, the reason on standard error, exit code 0."""
    ran = evaluate("GET", "https://api.example.com/orders/7?debug=1", "-H", "X-Tenant: acme")
    assert ran.status == 0
    assert re.sub("t=[0-9]+", "t=N", ran.out).splitlines() == [
        "allow",
        "request headers:",
        "  + x-shop-tenant: acme",
        "  - x-tenant",
        "query:",
        "  + tenant=acme",
        "  - debug",
        "response headers:",
        "  + cache-control: private",
        '  + ratelimit-policy: "orders/all";q=3;w=60',
        '  + ratelimit: "orders/all";r=2;t=N',
    ]
    assert ran.err.splitlines() == [
        "allow: allowed by orders/tenants",
        "  limit orders/all: ok, 2 left if nobody asked before",
    ]


def test_a_denial_is_shown_as_the_caller_sees_it(evaluate: Callable[..., Any]) -> None:
    """Exit code 0 too: it was decided."""
    ran = evaluate("DELETE", "/orders/7")
    assert ran.status == 0
    assert re.sub("[0-9a-f]{32}", "ID", ran.out).splitlines() == [
        "HTTP/1.1 403 Forbidden",
        "content-type: application/problem+json",
        "cache-control: no-store",
        "x-authz-decision-id: ID",
        "",
        PROBLEM,
    ]
    assert ran.err == "deny: deny_rule by orders/nobody-deletes\n"


VALIDATED = """\
apiVersion: authz/v1
kind: Policy
metadata: {name: orders}
spec:
  match: [{paths: ["/orders"]}]
  validate: [{name: body, content_type: application/json, schema: {}}]
  rules: [{name: all, allow: "true"}]
"""


def test_what_is_wrong_with_a_body_is_told_to_who_tries_it(run: Callable[..., Any], tmp_path: Path) -> None:
    """The caller learns only that it is; who writes the policy needs the reason."""
    (tmp_path / "orders.yaml").write_text(VALIDATED)
    ran = run("eval", "POST", "/orders", "--policies", str(tmp_path))
    assert ran.err == "deny: invalid_body by orders/body\n  orders: there is no body\n"


@pytest.mark.parametrize(
    ("arguments", "first", "reason"),
    [
        (
            ["GET", "/orders", "-H", "accept: text/html"],
            "HTTP/1.1 302 Found", "redirect: redirect_rule by orders/sign-in",
        ),
        (["GET", "/elsewhere"], "HTTP/1.1 403 Forbidden", "deny: no_policy"),
        (["GET", "/orders/%2e%2e/x"], "HTTP/1.1 400 Bad Request", "deny: ambiguous_request"),
        (["get", "/orders", "-H", "x-tenant: a"], "HTTP/1.1 403 Forbidden", "deny: no_rule by orders"),
        (
            ["POST", "/orders", "-H", "x-tenant: a", "-H", "content-type: application/json", "-d", '{"sku": "s"}'],
            "allow", "allow: allowed by orders/tenants",
        ),
        (["PUT", "/orders", "-H", "x-tenant: a", "-d", "text"], "HTTP/1.1 403 Forbidden", "deny: no_rule by orders"),
    ],
)  # fmt: skip
def test_every_kind_of_answer(arguments: list[str], first: str, reason: str, evaluate: Callable[..., Any]) -> None:
    """Redirects, refusals and bodies take the same way as behind Envoy."""
    ran = evaluate(*arguments)
    assert (ran.out.splitlines()[0], ran.err.splitlines()[0]) == (first, reason)


def test_a_program_can_read_it(evaluate: Callable[..., Any]) -> None:
    """`--output json` is one object on standard output and nothing on standard error."""
    ran = evaluate("GET", "/orders", "-H", "x-tenant: acme", "--output", "json")
    got = json.loads(ran.out)
    assert (got["decision"], got["rule"], got["limits"][0]["remaining"], ran.err) == ("allow", "tenants", 2, "")


def test_the_time_and_the_peer_can_be_set(policies: Path, evaluate: Callable[..., Any]) -> None:
    """`--at` is the time policies read, `--ip` the direct peer."""
    file = policies / "orders.yaml"
    rule = 'request.time == timestamp("2026-11-23T12:00:00Z") && source.ip == "::7"'
    file.write_text(file.read_text().split("  rules:")[0] + f"  rules:\n    - {{name: r, allow: '{rule}'}}\n")
    for at in ("2026-11-23T12:00:00Z", "2026-11-23T12:00:00", "2026-11-23T13:00:00+01:00"):
        assert evaluate("GET", "/orders", "--at", at, "--ip", "::7").out == "allow\n"
    assert evaluate("GET", "/orders", "--at", "2026-11-23T12:00:01Z", "--ip", "::7").out.startswith("HTTP/1.1 403")


def test_a_subject_nobody_asks_for_is_told(evaluate: Callable[..., Any]) -> None:
    """Where policies name no provider the caller stays anonymous, whoever is claimed."""
    ran = evaluate("GET", "/orders", "-H", "x-tenant: acme", "--as", "alice", "--claims", '{"tenant": "acme"}')
    assert ran.err.startswith("the policies of this request name no identity provider")


PROVIDED = """\
apiVersion: authz/v1
kind: IdentityProvider
metadata: {name: staff}
spec: {peer_certificate: {trust_domains: [example.org]}}
---
apiVersion: authz/v1
kind: Policy
metadata: {name: orders}
spec:
  match: [{paths: ["/orders"]}]
  identity: {providers: [staff]}
  rules:
    - name: tenants
      allow: '"orders:read" in identity.scopes && identity.claims.tenant == "acme" && "admin" in identity.roles'
      request_headers: {set: {x-subject: "${identity.subject}"}}
"""


def test_a_caller_can_be_claimed(run: Callable[..., Any], tmp_path: Path) -> None:
    """`--as` and `--claims` stand in for the provider; without them the request's own credentials are looked at."""
    (tmp_path / "orders.yaml").write_text(PROVIDED)
    claims = '{"tenant": "acme", "scope": "orders:read orders:write", "roles": ["admin"]}'
    ran = run("eval", "GET", "/orders", "--as", "alice", "--claims", claims, "--policies", str(tmp_path))
    assert ran.out.splitlines() == ["allow", "request headers:", "  + x-subject: alice"]
    assert ran.err == "allow: allowed by orders/tenants\n"
    other = run("eval", "GET", "/orders", "--as", "alice", "--provider", "partner", "--policies", str(tmp_path))
    assert other.err.splitlines()[0] == 'no policy of this request names the provider "partner": staff'
    alone = run("eval", "GET", "/orders", "--policies", str(tmp_path))
    assert alone.out.splitlines()[0] == "HTTP/1.1 401 Unauthorized"
    assert alone.err.startswith("deny: unauthenticated")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["-H", "nonsense"], '--header: "nonsense" is no header: write "name: value"'),
        (["-d", "@/nowhere"], "--data: can't read /nowhere: No such file"),
        (["--at", "noon"], '--at: "noon" is no time: write for example 2026-11-23T12:00:00Z'),
        (["--ip", "1.2.3"], "--ip: '1.2.3' does not appear to be an IPv4 or IPv6 address"),
        (["--as", "a", "--claims", "[]"], "--claims: is no JSON object"),
        (["--as", "a", "--claims", "{"], "--claims: is no JSON: Expecting property name"),
        (["--provider", "staff"], "--provider: says who found --as, which is missing"),
        (["--claims", '{"tenant": "acme"}'], "--claims: says more of --as, which is missing"),
        (["--output", "xml"], "xml"),
    ],
)
def test_a_wrong_argument_is_told(arguments: list[str], told: str, evaluate: Callable[..., Any]) -> None:
    """With the exit code for arguments."""
    ran = evaluate("GET", "/orders", *arguments)
    assert (ran.status, ran.out) == (Exit.ARGUMENTS, "")
    assert told in ran.err


def test_policies_with_faults_decide_nothing(run: Callable[..., Any], broken: str) -> None:
    """The faults are told, with the exit code for policies."""
    ran = run("eval", "GET", "/orders", "--policies", broken)
    assert (ran.status, ran.out) == (Exit.POLICIES, "")
    assert ran.err.startswith('broken/orders.yaml:8:7: AZ103 unknown key "alow" (did you mean "allow"?)')
    assert run("eval", "GET", "/", "--policies", "nowhere").err == "nowhere: does not exist\n"


@pytest.mark.parametrize("url", ["api.example.com/orders", "ftp://api.example.com/", "orders"])
def test_what_is_neither_url_nor_path_is_told(run: Callable[..., Any], url: str) -> None:
    """A scheme that was forgotten is not a request for some odd path, which would be decided and denied."""
    ran = run("eval", "GET", url)
    assert (ran.status, ran.out) == (Exit.ARGUMENTS, "")
    assert "is no URL: write https://host/path, or a path alone" in " ".join(ran.err.split())
