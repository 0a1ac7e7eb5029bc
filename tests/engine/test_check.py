"""The order of a check, with real policies, wire and limiter: every way ends in one answer and one record."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec
import pytest

from authz._pb.envoy.service.auth.v3.external_auth_pb2 import CheckRequest
from authz.cli.request import Asked, message
from authz.content import SchemaValidators
from authz.engine import GIVE_UP, NO_BUDGET, Engine
from authz.limits.memory import MemoryLimiter
from authz.model import ANONYMOUS, Identity, LimitOutcome, OnError, Reason, Request
from authz.policy import Compiler
from authz.server.deciding import compiler
from authz.store import Snapshot
from tests.engine.conftest import NOON, POLICIES, Bench, Caller, Door, Holding

if TYPE_CHECKING:
    from collections.abc import Callable


def test_an_allow_goes_through_with_what_the_rule_adds(make: Callable[..., Bench]) -> None:
    """The outcome names the generation, the rule and the times; the answer carries the mutation."""
    bench = make()
    caller = bench.ask("GET")
    assert caller.reason == Reason.ALLOWED
    added = caller.response.ok_response.response_headers_to_add
    assert [(header.header.key, header.header.value) for header in added] == [("x-orders", "1"), ("vary", "origin")]
    outcome = bench.outcome
    assert (outcome.generation, outcome.decision.policy, outcome.decision.rule) == (7, "orders", "writers")
    assert (outcome.started, outcome.policy_digest != "") == (NOON, True)
    assert outcome.id == caller.response.dynamic_metadata.fields["decision_id"].string_value


@pytest.mark.parametrize(
    ("method", "path", "reason", "status"),
    [
        ("DELETE", "/orders", Reason.DENY_RULE, 403),
        ("HEAD", "/orders", Reason.REDIRECT_RULE, 302),
        ("PUT", "/orders", Reason.NO_RULE, 403),
        ("GET", "/elsewhere", Reason.NO_POLICY, 403),
        ("GET", "/orders%2fx", Reason.AMBIGUOUS_REQUEST, 400),
        ("GET", "/a/%2e%2e/orders", Reason.AMBIGUOUS_REQUEST, 400),
        ("GET", "orders", Reason.AMBIGUOUS_REQUEST, 400),
        ("GE T", "/orders", Reason.AMBIGUOUS_REQUEST, 400),
    ],
)
def test_what_is_not_allowed_is_told_why(
    method: str, path: str, reason: Reason, status: int, make: Callable[..., Bench]
) -> None:
    """The same word in the answer and in the record."""
    bench = make()
    caller = bench.ask(method, path)
    assert caller.reason == reason
    assert caller.response.denied_response.status.code == status
    assert bench.outcome.decision.reason == reason


@pytest.mark.parametrize("size", [1, 7_679, 7_681, 8_191, 8_192])
@pytest.mark.parametrize("method", ["PUT", "DELETE", "GET"])
def test_what_is_too_long_for_an_answer_is_on_record_as_what_is_answered(
    method: str, size: int, make: Callable[..., Bench]
) -> None:
    """No record says allow, or where to, of an answer that could not be given like that."""
    bench = make()
    caller = bench.ask(method, f"/carried?q={'x' * size}")
    assert caller.reason == bench.outcome.decision.reason
    if method != "GET":
        assert caller.response.denied_response.status.code == bench.outcome.decision.status


@pytest.mark.parametrize(("depth", "reason"), [(1, Reason.ALLOWED), (31, Reason.ALLOWED), (32, Reason.RULE_ERROR)])
def test_what_is_too_deep_for_metadata_is_on_record_as_denied(
    depth: int, reason: Reason, make: Callable[..., Bench]
) -> None:
    """Policies and wire draw the line at the same depth: a caller chooses how deep a body is."""
    bench = make()
    content = b"[" * depth + b"]" * depth
    headers = (("content-type", "application/json"),)
    caller = bench.send(message(Asked(method="POST", url="/carried", headers=headers, body=content)))
    assert (caller.reason, bench.outcome.decision.reason) == (reason, reason)


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/orders%2fx", "encoded_slash"),
        ("/orders;v=2", "path_parameters"),
        ("/orders;v=2%2fx", "encoded_slash and path_parameters"),
    ],
)
def test_what_makes_a_path_ambiguous_is_on_record(path: str, told: str, make: Callable[..., Bench]) -> None:
    """The canonical path does not show it any more, and whoever looks for the reason has only the record."""
    bench = make()
    caller = bench.ask("GET", path)
    assert caller.reason == Reason.AMBIGUOUS_REQUEST
    assert bench.outcome.detail == f"the path has {told}: not every document permits it"
    assert bench.outcome.detail not in caller.response.denied_response.body


@pytest.mark.parametrize("content", [b"", b"\xff", b"\x0a\xff\x01", CheckRequest().SerializeToString()])
def test_what_is_no_request_is_denied_and_on_record(content: bytes, make: Callable[..., Bench]) -> None:
    """Row G1: undecodable bytes are an answer of 400 and a record without a request."""
    bench = make()
    caller = bench.send(content)
    assert (caller.reason, caller.response.denied_response.status.code) == (Reason.MALFORMED, 400)
    assert bench.outcome.request is None
    assert bench.outcome.detail
    assert bench.outcome.detail not in caller.response.denied_response.body


@pytest.mark.parametrize("reason", [Reason.OVERLOADED, Reason.BODY_TOO_LARGE, Reason.MALFORMED, Reason.INTERNAL_ERROR])
def test_what_the_transport_refuses_is_on_record_too(reason: Reason, make: Callable[..., Bench]) -> None:
    """Overload and oversize get one answer and one record; who is refused for overload is told to come back."""
    bench, caller = make(), Caller()
    bench.engine.refuse(reason, caller)
    assert caller.reason == bench.outcome.decision.reason == reason
    headers = {one.header.key: one.header.value for one in caller.response.denied_response.headers}
    assert ("retry-after" in headers) == (reason is Reason.OVERLOADED)


def test_without_policies_everything_is_denied(make: Callable[..., Bench]) -> None:
    """Row I5: no snapshot, no way in; the record says generation 0."""
    bench = make(snapshot=None)
    assert bench.ask("GET").reason == Reason.NO_POLICY
    assert (bench.outcome.generation, bench.outcome.policy_digest) == (0, "")


def test_health_is_whether_checks_can_be_decided(make: Callable[..., Bench]) -> None:
    """Serving needs policies and no drain; a service we do not offer is unknown (row G8)."""
    engine, empty = make().engine, make(snapshot=None).engine
    ours = "envoy.service.auth.v3.Authorization"
    assert (engine.health(""), engine.health(ours), engine.health("nope")) == (True, True, None)
    assert (empty.health(""), empty.health(ours), empty.health("nope")) == (False, False, None)
    engine.serving = False
    assert engine.health("") is False


def test_the_caller_is_identified_before_anything_is_decided(make: Callable[..., Bench]) -> None:
    """Only the providers of the selected policies are asked, within the caller's deadline, and may answer later."""
    door = Door()
    door.identity = None
    bench = make(identifier=door)
    assert bench.ask("GET", "/orders").reason == Reason.ALLOWED
    assert door.asked == []
    caller = bench.ask("GET", "/staff", caller=Caller(deadline=100.5))
    assert (caller.answers, door.asked) == ([], [(("staff",), 100.5 - GIVE_UP)])
    assert door.done is not None
    door.done(Identity(authenticated=True, provider="staff", subject="alice"))
    assert caller.reason == Reason.ALLOWED
    assert bench.outcomes[-1].identity.subject == "alice"


def test_the_outcome_says_who_stands_behind_the_proxies(make: Callable[..., Bench]) -> None:
    """Allowed, denied or not decided at all, found once; of what can't be read nobody is known."""
    found: list[str] = []

    def behind(request: Request) -> str:
        found.append(request.source.ip)
        return "203.0.113.9"

    bench, nothing_loaded = make(client_ip=behind), make(client_ip=behind, snapshot=None)
    for asked in (bench, nothing_loaded):
        asked.ask("GET", "/orders")
        asked.ask("GET", "/nowhere")
        asked.send(b"garbage")
    told = [outcome.client_ip for outcome in bench.outcomes + nothing_loaded.outcomes]
    assert told == ["203.0.113.9", "203.0.113.9", ""] * 2
    assert found == ["10.0.0.9"] * 4


def test_the_policies_own_providers_identify_where_nobody_else_does() -> None:
    """The identifier is the snapshot's: a swap of policies swaps who can be known, too."""
    provider = """\
apiVersion: authz/v1
kind: IdentityProvider
metadata: {name: staff}
spec: {peer_certificate: {trust_domains: [cluster.local]}}
---
"""
    text = provider + POLICIES.replace('"alice"', '"spiffe://cluster.local/ns/shop/sa/web"')
    policies = compiler("auto").compile({"p.yaml": text.encode()})
    bench = Bench(Snapshot(policies=policies, generation=1, loaded_at=NOON), identifier=None)
    assert bench.ask("GET", "/staff").reason == Reason.UNAUTHENTICATED
    request = CheckRequest.FromString(message(Asked(method="GET", url="/staff", time=NOON)))
    request.attributes.source.principal = "spiffe://cluster.local/ns/shop/sa/web"
    assert bench.send(request.SerializeToString()).reason == Reason.ALLOWED


@pytest.mark.parametrize(
    ("identity", "reason"),
    [
        (ANONYMOUS, Reason.UNAUTHENTICATED),
        (Identity(error=Reason.INVALID_CREDENTIALS), Reason.INVALID_CREDENTIALS),
        (Identity(error=Reason.IDENTITY_UNAVAILABLE), Reason.IDENTITY_UNAVAILABLE),
        (Identity(authenticated=True, provider="staff", subject="mallory"), Reason.NO_RULE),
    ],
)
def test_who_is_not_who_it_takes_is_denied(identity: Identity, reason: Reason, make: Callable[..., Bench]) -> None:
    """Nobody, a bad credential, an unreachable provider and the wrong person are four reasons."""
    door = Door()
    door.identity = identity
    assert make(identifier=door).ask("GET", "/staff").reason == reason


def test_a_limit_is_charged_for_what_is_allowed_and_has_the_last_word(make: Callable[..., Bench]) -> None:
    """Two writes pass, the third waits; denials in between cost nothing."""
    bench = make()
    reasons = [bench.ask(method).reason for method in ("POST", "DELETE", "PUT", "POST", "POST")]
    assert reasons == ["allowed", "deny_rule", "no_rule", "allowed", "rate_limited"]
    last = bench.ask("POST").response.denied_response
    headers = {one.header.key: one.header.value for one in last.headers}
    assert (last.status.code, json.loads(last.body)["limit"]) == (429, "orders/writes")
    assert 0 < int(headers["retry-after"]) <= 120
    assert bench.outcomes[-1].usage.limits[0].outcome is LimitOutcome.OVER
    assert bench.outcomes[-1].decision.documents, "the record says what the policies said"


@pytest.mark.parametrize(("method", "path", "times"), [("POST", "/orders", 3), ("GET", "/guess", 2)])
def test_a_page_can_read_that_it_was_limited(method: str, path: str, times: int, make: Callable[..., Bench]) -> None:
    """Whether a limit has the first word or the last, its 429 says what the policy says of the page's origin."""
    bench = make()
    for _ in range(times):
        caller = bench.ask(method, path, origin="https://app.example.com")
    assert caller.reason == Reason.RATE_LIMITED
    assert [header.name for header in bench.outcomes[-1].decision.cors] == ["vary", "access-control-allow-origin"]


def test_a_preflight_waits_for_nobody(make: Callable[..., Bench]) -> None:
    """It is neither identified nor limited: what browsers ask on their own costs nobody anything."""
    bench = make()
    for _ in range(5):
        bench.ask("OPTIONS", "/orders", origin="https://app.example.com", access_control_request_method="POST")
    assert {outcome.decision.reason for outcome in bench.outcomes} == {Reason.PREFLIGHT}
    assert not any(outcome.usage.limits for outcome in bench.outcomes)


def test_guessing_costs_and_is_stopped_before_the_rules(make: Callable[..., Bench]) -> None:
    """One denial is charged; then even the right word is 429, because limits that count denials are asked first."""
    bench = make()
    assert bench.ask("GET", "/guess", x_word="x").reason == Reason.ALLOWED
    assert bench.ask("GET", "/guess").reason == Reason.NO_RULE
    caller = bench.ask("GET", "/guess", x_word="x")
    assert caller.reason == Reason.RATE_LIMITED
    assert bench.outcomes[-1].decision.documents == (), "no rule was asked"


@pytest.mark.parametrize("on_error", OnError)
def test_a_limiter_that_cannot_count_answers_as_the_limit_says(on_error: OnError, make: Callable[..., Bench]) -> None:
    """With no room for one more counter: `deny` and `local` are 503, `allow` lets through and says so."""
    text = POLICIES.replace("on_error: deny", f"on_error: {on_error}")
    made = Compiler(validators=SchemaValidators(), providers=("staff",))
    snapshot = Snapshot(policies=made.compile({"p.yaml": text.encode()}), generation=1, loaded_at=NOON)
    bench = make(snapshot=snapshot, limiter=MemoryLimiter(clock=lambda: NOON, max_keys=0))
    caller = bench.ask("POST")
    degraded = bench.outcome.usage.limits[0].outcome
    if on_error is OnError.ALLOW:
        assert (caller.reason, degraded) == (Reason.ALLOWED, LimitOutcome.DEGRADED_ALLOW)
    else:
        assert (caller.reason, degraded) == (Reason.LIMITER_DEGRADED, LimitOutcome.DEGRADED_DENY)
        assert caller.response.denied_response.status.code == 503


def test_the_limiter_is_given_what_is_left_of_the_deadline(make: Callable[..., Bench]) -> None:
    """The answer must leave before the caller gives up; who sets no deadline gets a bound all the same (row G12)."""
    limiter = Holding()
    bench = make(limiter=limiter)
    bench.ask("POST", caller=Caller(deadline=100.2))
    bench.ask("POST")
    assert limiter.deadlines == [100.2 - GIVE_UP, 100.0 + NO_BUDGET]


def test_an_allow_that_comes_too_late_is_a_denial(make: Callable[..., Bench]) -> None:
    """Row I6: Envoy has given up by then, or is about to."""
    limiter = Holding()
    bench = make(limiter=limiter)
    early, late = Caller(deadline=101.0), Caller(deadline=100.5)
    bench.ask("POST", caller=early)
    bench.ask("POST", caller=late)
    bench.clock.now = 100.5
    limiter.release()
    assert (early.reason, late.reason) == (Reason.ALLOWED, Reason.DEADLINE)
    assert [outcome.duration for outcome in bench.outcomes] == [0.5, 0.5]


def test_a_deadline_that_has_passed_before_is_a_denial(make: Callable[..., Bench]) -> None:
    """No work is worth doing for it, but an answer and a record there is."""
    assert make().ask("GET", caller=Caller(deadline=99.0)).reason == Reason.DEADLINE


@pytest.mark.parametrize(("method", "path"), [("GET", "/orders"), ("DELETE", "/orders"), ("GET", "/a%2fb")])
def test_nothing_is_allowed_after_a_cancel(method: str, path: str, make: Callable[..., Bench]) -> None:
    """Row G11: the record says `cancelled`, whatever was decided."""
    bench, caller = make(), Caller()
    caller.cancelled = True
    assert bench.ask(method, path, caller=caller).reason == Reason.CANCELLED
    assert bench.outcome.decision.reason == Reason.CANCELLED


@pytest.mark.parametrize("path", ["/orders", "/guess"])
def test_a_cancel_while_the_limiter_thinks_is_seen(path: str, make: Callable[..., Bench]) -> None:
    """Row G11, at each point where a check waits: the charge and the early peek."""
    limiter = Holding()
    bench = make(limiter=limiter)
    caller = bench.ask("POST", path)
    assert caller.answers == []
    caller.cancelled = True
    limiter.release()
    limiter.release()
    assert caller.reason == Reason.CANCELLED
    assert len(bench.outcomes) == 1


def test_a_check_keeps_the_policies_it_began_with(make: Callable[..., Bench], snapshot: Snapshot) -> None:
    """Row L8: a swap while the limiter thinks changes neither the decision nor the generation on record."""
    made = Compiler(validators=SchemaValidators())
    closed = POLICIES.partition("---")[0].replace('["GET", "POST"]', "[]")
    newer = Snapshot(policies=made.compile({"p.yaml": closed.encode()}), generation=8, loaded_at=NOON)
    current, limiter = [snapshot], Holding()
    bench = make(limiter=limiter)
    bench.engine = Engine(msgspec.structs.replace(bench.engine._parts, snapshot=lambda: current[-1]))
    caller = bench.ask("POST")
    current.append(newer)
    limiter.release()
    assert (caller.reason, bench.outcome.generation) == (Reason.ALLOWED, 7)
    assert bench.ask("POST").reason == Reason.NO_RULE
    assert bench.outcomes[-1].generation == 8


def test_the_trace_is_taken_from_the_metadata(make: Callable[..., Bench]) -> None:
    """The trace that Envoy started is on record."""
    bench = make()
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    bench.ask("GET", caller=Caller(metadata=(("traceparent", f"00-{trace}-00f067aa0ba902b7-01"),)))
    assert bench.outcome.trace_id == trace


@pytest.mark.parametrize(("limit", "state"), [(None, "complete"), (8, "complete"), (7, "truncated"), (3, "truncated")])
def test_a_body_that_fills_what_envoy_shows_is_not_whole_where_that_is_known(
    make: Callable[..., Bench], limit: int | None, state: str
) -> None:
    """B1: cut exactly at `max_request_bytes`, a body without a length arrives with Envoy's word that it is whole."""
    request = CheckRequest()
    http = request.attributes.request.http
    http.method, http.path, http.host, http.scheme = "POST", "/orders", "shop.example.com", "https"
    http.raw_body = b'{"a":1}'
    http.headers["x-envoy-auth-partial-body"] = "false"
    bench = make(body_limit=limit)
    bench.send(request.SerializeToString())
    assert bench.outcome.request is not None
    assert bench.outcome.request.body_state == state


def test_what_is_wrong_with_a_credential_is_for_the_record_alone(make: Callable[..., Bench]) -> None:
    """Operators read it in `detail`; the caller learns only that it is not good."""
    door = Door()
    door.identity = Identity(error=Reason.INVALID_CREDENTIALS, detail="the token has expired")
    bench = make(identifier=door)
    caller = bench.ask("GET", "/staff")
    assert caller.reason == Reason.INVALID_CREDENTIALS
    assert bench.outcome.detail == "the token has expired"
    assert b"expired" not in caller.answers[0]
