"""The pages about policies: every example is served, and does what the page says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from authz.model import Decision, Effect, Reason
from authz.policy import Compiler, PolicySet

FOLDER = Path(__file__).parents[2] / "authz" / "policy" / "docs"


def examples(page: str) -> list[str]:
    """Return the documents of a page."""
    return re.findall(r"^```yaml\n(.*?)^```", (FOLDER / page).read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture(name="policies")
def _policies(compiler: Compiler) -> PolicySet:
    """Return all documents of the page about answers together."""
    return compiler.compile({"a.yaml": "---\n".join(examples("answers.md")).encode()})


def decided(policies: PolicySet, make: Any, **request: Any) -> Decision:
    """Return what is decided of a request."""
    facts = make.facts(make.request(request))
    return policies.select(facts.request).decide(facts)


def test_headers_query_and_cookies(policies: PolicySet, make: Any) -> None:
    """The first example changes what it says, and nothing else."""
    headers = {"cookie": "a=1; session=2", "x-debug": "1"}
    decision = decided(policies, make, host="shop.example.com", path="/shop/a", query="tenant=acme", headers=headers)
    assert decision.effect is Effect.ALLOW
    changes = decision.mutations
    assert {header.name: header.value for header in changes.request_headers} == {
        "cookie": "a=1",
        "x-tenant": "acme",
        "x-seen-by": "authz",
    }
    assert changes.request_headers_remove == ("x-debug",)
    assert (changes.query_set, changes.query_remove) == ((("page-size", "20"),), ("tenant",))
    csrf = "5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9"
    assert [(header.name, header.value, header.append) for header in changes.response_headers] == [
        ("cache-control", "private", False),
        ("vary", "x-tenant", True),
        ("set-cookie", "visited=1; Path=/; Max-Age=2592000; Secure; HttpOnly; SameSite=Lax", True),
        ("set-cookie", f"__Host-csrf={csrf}; Path=/; Secure; HttpOnly; SameSite=Strict", True),
    ]
    assert changes.metadata == {"host": "shop.example.com", "port": 443}


@pytest.mark.parametrize(
    ("path", "query", "location"),
    [
        ("/account/7", "", "https://login.example.com/?next=https%3A%2F%2Fwww.example.com%2Faccount%2F7"),
        ("/back", "next=https://a.example.com/x", "https://a.example.com/x"),
        ("/back", "next=/x", "/x"),
        ("/old/a", "", "/new/old/a"),
        ("/back", "next=//evil.test", None),
        ("/back", "next=https://evil.test/", None),
    ],
)
def test_redirects(path: str, query: str, location: str | None, policies: PolicySet, make: Any) -> None:
    """The second example leads where it says, and is a denial elsewhere."""
    decision = decided(policies, make, host="www.example.com", path=path, query=query)
    assert decision.location == location
    assert decision.reason is (Reason.RULE_ERROR if location is None else Reason.REDIRECT_RULE)


def test_bodies(policies: PolicySet, make: Any) -> None:
    """The third example answers everyone in their own format, and nothing of the path is markup."""
    path = "/shop/closed/<b>&'"
    answers = {}
    for accept in ("text/html", "*/*", "text/plain"):
        request = {"host": "shop.example.com", "path": path, "headers": {"accept": accept}}
        decision = decided(policies, make, **request)
        answers[decision.media_type] = decision.body or ""
    assert "<p>/shop/closed/&lt;b&gt;&amp;&#x27; is closed." in answers["text/html; charset=utf-8"]
    assert json.loads(answers["application/json"]) == {"error": "closed", "path": path, "port": 443}
    assert answers["text/plain; charset=utf-8"] == f"{path} is closed."


def test_pages_of_other_origins(policies: PolicySet, make: Any) -> None:
    """The fourth example answers a preflight, and lets a page read a denial."""
    origin = "https://a.preview.example.com"
    headers = {
        "origin": origin,
        "access-control-request-method": "PUT",
        "access-control-request-headers": "authorization",
    }
    asked = decided(policies, make, method="OPTIONS", path="/v1/orders/7", headers=headers)
    assert (asked.effect, asked.status) == (Effect.ANSWER, 204)
    denied = decided(policies, make, method="PUT", path="/v1/orders/7", headers={"origin": origin})
    assert denied.effect is Effect.DENY
    for answer in (asked, denied):
        said = {header.name: header.value for header in answer.cors}
        assert (said["access-control-allow-origin"], said["access-control-allow-credentials"]) == (origin, "true")


def test_upgrades(compiler: Compiler, make: Any) -> None:
    """The example of the page about protocols lets in one socket, from its own pages."""
    policies = compiler.compile({"a.yaml": "---\n".join(examples("protocols.md")).encode()})
    socket = {"upgrade": "websocket", "origin": "https://live.example.com"}
    effects = [
        decided(policies, make, host="live.example.com", path=path, headers=headers).effect
        for path, headers in (("/feed", socket), ("/feed", socket | {"origin": "null"}), ("/", socket), ("/", {}))
    ]
    assert effects == [Effect.ALLOW, Effect.DENY, Effect.DENY, Effect.ALLOW]


def test_calls_inside_requests(compiler: Compiler, make: Any) -> None:
    """The examples of the page about protocols tell small payments, shallow queries and readers from all others."""
    policies = compiler.compile({"a.yaml": "---\n".join(examples("protocols.md")).encode()})

    def allows(host: str, path: str, body: object = None, **words: Any) -> bool:
        json_body = {} if body is None else {"json": body}
        decision = decided(policies, make, host=host, path=path, method="POST", **json_body, **words)
        return decision.effect is Effect.ALLOW

    pay = {"method": "tools/call", "params": {"name": "pay", "arguments": {"amount": 100}}}
    dear = {"method": "tools/call", "params": {"name": "pay", "arguments": {"amount": 101}}}
    mcp = [allows("mcp.example.com", "/mcp", body) for body in ({"method": "initialize"}, pay, dear, [pay])]
    assert mcp == [True, True, False, False]
    deep = "{ orders " + "{ a " * 9 + "}" * 9 + "}"
    queries = ["{ orders { id } }", "{ users { id } }", "{ orders: users { id } }", "mutation { orders }", deep]
    graphql = [allows("graph.example.com", "/graphql", {"query": query}) for query in queries]
    assert graphql == [True, False, False, False, False]
    headers = {"content-type": "application/grpc"}
    grpc = [allows("grpc.example.com", f"/shop.v1.Orders/{method}", headers=headers) for method in ("Get", "Delete")]
    assert grpc == [True, False]
