"""What an answer changes arrives: headers, query, redirects, problem documents, and one id everywhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import grpc
import pytest

from tests.e2e.conftest import eventually

if TYPE_CHECKING:
    from tests.e2e.conftest import Edge

CANARY = "canary-7c1f"


def test_an_allow_writes_and_removes_headers_both_ways(edge: Edge) -> None:
    """The upstream gets what the rule sets and not what it removes; the caller gets the response headers."""
    answer = edge.ask(target="/tenants/acme", headers={"x-tenant": "acme"})
    assert answer.seen["headers"]["x-shop-tenant"] == "acme"
    assert "x-tenant" not in answer.seen["headers"]
    assert (answer["x-tenant-seen"], answer["cache-control"]) == ("acme", "private")


@pytest.mark.parametrize("name", ["x-shop-tenant", "X-SHOP-TENANT", "X-Shop-Tenant"])
def test_what_a_caller_says_of_itself_does_not_survive(name: str, edge: Edge) -> None:
    """Row H5: a header that the rule sets is the rule's alone, one that it removes is gone."""
    spoofed = [("x-tenant", "acme"), (name, "globex"), (name, "initech"), ("x-shop-role", "root")]
    seen = edge.ask(target="/tenants/acme", headers=spoofed).seen["headers"]
    assert (seen["x-shop-tenant"], "x-shop-role" in seen) == ("acme", False)


@pytest.mark.parametrize("named", ["x-shop-tenant", "close, X-Shop-Tenant", "keep-alive, x-shop-tenant"])
def test_no_caller_has_our_headers_taken_away_behind_us(named: str, edge: Edge) -> None:
    """Row H6: `Connection` names headers that the next hop drops, and ours would be one of them."""
    answer = edge.ask(target="/tenants/acme", headers={"x-tenant": "acme", "connection": named})
    assert answer.status == 200
    assert answer.seen["headers"]["x-shop-tenant"] == "acme"
    assert "x-shop-tenant" not in answer.seen["headers"].get("connection", "").lower()


@pytest.mark.parametrize("agent", ["kube-probe/1.30", "GoogleHC/1.0", "ELB-HealthChecker/2.0", "Envoy/HC", ""])
def test_no_user_agent_opens_a_door(agent: str, edge: Edge) -> None:
    """Row O7 (CVE-2026-34457): probes are let in where a policy says so, and not for what they call themselves."""
    denied = edge.ask(headers=[("x-role", "admin"), ("user-agent", agent)])
    assert (denied.status, denied.problem["reason"]) == (403, "deny_rule")


def test_a_header_with_an_underscore_is_no_way_around(edge: Edge) -> None:
    """Row H4: Envoy as it ships refuses it."""
    assert edge.ask(target="/tenants/acme", headers={"x-tenant": "acme", "x_shop_tenant": "root"}).status == 400


@pytest.mark.parametrize("roles", [["admin"], ["user,admin"], ["user", "admin"], ["user , admin"]])
def test_a_list_of_values_is_searched_not_compared(roles: list[str], edge: Edge) -> None:
    """Row H1: a value among others, in one header or in several."""
    answer = edge.ask(headers=[("x-role", role) for role in roles])
    assert (answer.status, answer.problem["reason"]) == (403, "deny_rule")


@pytest.mark.parametrize("name", ["host", "authorization", "content-length"])
def test_two_of_what_there_is_one_of_go_nowhere(name: str, edge: Edge) -> None:
    """Row H1: Envoy or the service refuses."""
    value = {"host": "a.example.com", "authorization": "Bearer e30", "content-length": "0"}[name]
    other = {"host": "b.example.com", "authorization": "Bearer e31", "content-length": "1"}[name]
    assert edge.ask("POST", headers=[(name, value), (name, other)]).status == 400


def test_the_query_that_goes_on_is_the_rules(edge: Edge) -> None:
    """One parameter is set, whatever the caller says, one removed, the others stay."""
    target = "/tenants/acme?debug=1&page=2&tenant=globex"
    path = edge.ask(target=target, headers={"x-tenant": "acme"}).seen["path"]
    assert sorted(path.partition("?")[2].split("&")) == ["page=2", "tenant=acme"]


def test_a_redirect_is_one(edge: Edge) -> None:
    """302 with the place to go, to which the whole URL travels escaped."""
    answer = edge.ask(target="/login?next=//evil")
    assert answer.status == 302
    assert (
        answer["location"]
        == "https://login.example.com/?next=http%3A%2F%2Fshop.example.com%2Flogin%3Fnext%3D%2F%2Fevil"
    )
    assert answer.decided


def test_a_denial_says_what_its_author_wrote_and_no_more(edge: Edge) -> None:
    """RFC 9457, with the rule's own status and message; not cacheable; no rule, expression or policy is told."""
    answer = edge.ask(target="/gone")
    assert (answer.status, answer["cache-control"]) == (451, "no-store")
    assert answer.problem == {
        "type": "about:blank",
        "title": "Unavailable For Legal Reasons",
        "status": 451,
        "detail": "Gone for good.",
        "reason": "deny_rule",
        "decision_id": answer["x-authz-decision-id"],
    }


@pytest.mark.parametrize(
    ("target", "policy", "rule", "reason"),
    [
        ("/gone", "answers", "gone", "deny_rule"),
        ("/tenants/acme", "tenants", None, "no_rule"),
        ("/a%25zz;x", None, None, "ambiguous_request"),
        ("/login", "answers", "login", "redirect_rule"),
    ],
)
def test_one_id_leads_from_the_answer_to_the_record(
    target: str, policy: str | None, rule: str | None, reason: str, edge: Edge
) -> None:
    """The header, the problem document, the record and Envoy's access log name the same decision and why."""
    answer = edge.ask(target=target, headers={"x-tenant": CANARY, "authorization": f"Bearer {CANARY}"})
    identifier = answer["x-authz-decision-id"]
    assert identifier is not None
    if answer.status != 302:
        assert answer.problem["decision_id"] == identifier
    record, logged = edge.service.record(identifier), edge.envoy.access_log(identifier)
    assert (record["policy"], record["rule"], record["reason"]) == (policy, rule, reason)
    assert (logged["policy"], logged["rule"], logged["reason"]) == (policy, rule, reason)
    assert (record["status"], logged["status"]) == (answer.status, answer.status)


def test_an_allow_is_in_the_access_log_too(edge: Edge) -> None:
    """Dynamic metadata carries id, policy and rule of what was let through."""
    edge.ask(target="/tenants/initech", headers={"x-tenant": "initech"})

    def logged() -> str | None:
        lines = edge.envoy.log_file.read_text().split("\n")
        return next((line for line in lines if '"path":"/tenants/initech"' in line), None)

    identifier = re.search(r'"decision_id":"([0-9a-f]{32})"', eventually(logged))
    assert identifier is not None
    record = edge.service.record(identifier[1])
    assert (record["decision"], record["request"]["path"]) == ("allow", "/tenants/initech")


def test_no_secret_is_on_record_or_in_a_log(edge: Edge) -> None:
    """Row O2: not from headers, cookies, query or body, in allowed and in denied requests."""
    secrets = {"authorization": f"Bearer {CANARY}", "cookie": f"s={CANARY}", "x-api-key": CANARY}
    for target in (f"/public?access_token={CANARY}", f"/gone?access_token={CANARY}", f"/json?t={CANARY}"):
        answer = edge.ask("POST", target, headers=secrets, body=f'{{"secret":"{CANARY}"'.encode())
        assert CANARY not in str(answer.headers)
        if answer.decided:
            edge.service.record(answer["x-authz-decision-id"] or "")
            assert CANARY.encode() not in answer.body
    for file in (edge.service.records_file, edge.service.log_file, edge.envoy.log_file):
        assert CANARY not in file.read_text()


@pytest.mark.parametrize(
    ("method", "code", "message"),
    [
        ("Delete", grpc.StatusCode.PERMISSION_DENIED, "Orders stay."),
        ("Nobody", grpc.StatusCode.UNAUTHENTICATED, "Who are you? Wer bist du? 100 %"),
        ("Limited", grpc.StatusCode.RESOURCE_EXHAUSTED, "rate_limited"),
    ],
)
def test_a_grpc_client_gets_a_status_of_its_own(method: str, code: grpc.StatusCode, message: str, edge: Edge) -> None:
    """Row E14: 401 is 16, 403 is 7, and 429 is 8, which nobody retries at once; the id comes as metadata."""
    with grpc.insecure_channel(f"127.0.0.1:{edge.envoy.port}") as channel:
        call = channel.unary_unary(f"/shop.Orders/{method}")
        errors = []
        for _ in range(2):
            with pytest.raises(grpc.RpcError) as failed:
                call(b"{}", timeout=10)
            errors.append(failed.value)
    assert errors[-1].code() is code
    assert errors[-1].details() == message
    headers = {**dict(errors[-1].initial_metadata()), **dict(errors[-1].trailing_metadata())}
    assert edge.service.record(headers["x-authz-decision-id"])["request"]["path"] == f"/shop.Orders/{method}"


APP = "https://app.example.com"


def test_a_preflight_is_answered_at_the_edge(edge: Edge) -> None:
    """204 without a body, for a method the policy governs, though nobody let OPTIONS in; the upstream hears nothing."""
    asked = {"origin": APP, "access-control-request-method": "PUT", "access-control-request-headers": "x-a"}
    answer = edge.ask("OPTIONS", "/pages/1", asked)
    assert (answer.status, answer.body, answer["access-control-max-age"]) == (204, b"", "300")
    assert (answer["access-control-allow-origin"], answer["access-control-allow-credentials"]) == (APP, "true")
    record = edge.service.record(answer["x-authz-decision-id"] or "")
    assert (record["decision"], record["reason"], record["status"]) == ("answer", "preflight", 204)
    refused = edge.ask("OPTIONS", "/pages/1", asked | {"origin": "https://evil.test"})
    assert (refused.status, refused["access-control-allow-origin"]) == (403, None)


@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("PUT", 403)])
def test_a_page_can_read_what_is_answered(method: str, status: int, edge: Edge) -> None:
    """Allowed or denied, if its origin was named; `vary: origin` keeps caches from mixing answers up."""
    answer = edge.ask(method, "/pages/1", {"origin": APP})
    assert (answer.status, answer["access-control-allow-origin"]) == (status, APP)
    assert "origin" in (answer["vary"] or "")
    assert edge.ask(method, "/pages/1", {"origin": "null"})["access-control-allow-origin"] is None


def test_cookies_are_set_line_by_line_and_taken_away(edge: Edge) -> None:
    """Each cookie is a header of its own; of the caller's two Cookie headers the upstream sees what may go on."""
    answer = edge.ask(target="/pages/1", headers=[("cookie", "a=1"), ("cookie", "SESSION=y; b=2; session=x")])
    assert sorted(value for name, value in answer.headers if name == "set-cookie") == [
        "other=2; Path=/; Secure; HttpOnly; SameSite=Lax",
        "seen=1; Path=/; Max-Age=3600; Secure; HttpOnly; SameSite=Lax",
    ]
    assert answer.seen["headers"]["cookie"] == "a=1; b=2"
    assert "cookie" not in edge.ask(target="/pages/1", headers={"cookie": "session=x"}).seen["headers"]


@pytest.mark.parametrize(
    ("accept", "media_type", "body"),
    [
        ("text/html,*/*;q=0.8", "text/html; charset=utf-8", "<p title='/pages/closed'>&lt;b&gt;&amp;</p>"),
        ("application/json", "application/json", '{"q":"\\u003cb>&"}'),
        ("text/plain", "text/plain; charset=utf-8", "closed"),
    ],
)
def test_a_denial_speaks_the_callers_format(accept: str, media_type: str, body: str, edge: Edge) -> None:
    """The same rule is a page to a browser and JSON to a program, and what a caller sends is markup to neither."""
    answer = edge.ask(target="/pages/closed?q=%3Cb%3E%26", headers={"accept": accept})
    assert (answer.status, answer["content-type"], answer.body.decode()) == (403, media_type, body)
    assert answer["x-content-type-options"] == "nosniff"
