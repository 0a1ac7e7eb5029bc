"""What a caller is told that is not let through (how answers are serialized and kept: `test_write`)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz import wire
from authz._pb.envoy.service.auth.v3.external_auth_pb2 import CheckResponse
from authz.model import (
    ANONYMOUS,
    MAX_HEADERS,
    STATUS,
    UNLIMITED,
    Decision,
    Effect,
    HeaderMutation,
    Identity,
    Mutations,
    Outcome,
    Reason,
    Request,
    Unmet,
)
from authz.wire.denials import MAX_BODY, Denial
from authz.wire.mutations import UNTOUCHABLE
from tests.wire.conftest import check_request, read

CALL = read(check_request("POST", "/shop.Orders/List", headers={"content-type": "application/grpc"}))
CORS = (
    HeaderMutation(name="access-control-allow-origin", value="https://app.example.com"),
    HeaderMutation(name="vary", value="origin", append=True),
)
PREFLIGHT = Decision(effect=Effect.ANSWER, reason=Reason.PREFLIGHT, status=204, policy="p", cors=CORS)


def denied(request: Request | None = None, identity: Identity = ANONYMOUS, **decision: Any) -> CheckResponse:
    """Return the answer to a denial, parsed."""
    words: dict[str, Any] = {"effect": Effect.DENY, "reason": Reason.DENY_RULE, "status": 403}
    return answered(Decision(**(words | decision)), request, identity)


def answered(decision: Decision, request: Request | None = None, identity: Identity = ANONYMOUS) -> CheckResponse:
    """Return the answer to a decision, parsed."""
    outcome = Outcome(
        id="0192f0c1", decision=decision, request=request, identity=identity, usage=UNLIMITED, generation=1,
        policy_digest="",
    )  # fmt: skip
    return CheckResponse.FromString(wire.write(outcome))


def headers(response: CheckResponse) -> dict[str, str]:
    """Return the headers a client sees."""
    return {option.header.key: option.header.value for option in response.denied_response.headers}


@pytest.mark.parametrize(
    ("decision", "code", "message"),
    [
        ({}, "7", "deny_rule"),
        ({"message": "Orders stay."}, "7", "Orders stay."),
        ({"message": "Bestellungen ruhen für 100 %\n"}, "7", "Bestellungen ruhen f%C3%BCr 100 %25%0A"),
        ({"reason": Reason.UNAUTHENTICATED, "status": 401}, "16", "unauthenticated"),
        ({"reason": Reason.RATE_LIMITED, "status": 429}, "8", "rate_limited"),
        ({"reason": Reason.OVERLOADED, "status": 503}, "14", "overloaded"),
        ({"status": 302, "effect": Effect.REDIRECT, "location": "https://login.example.com/"}, "7", "deny_rule"),
        ({"body": "<h1>Closed</h1>", "media_type": "text/html"}, "7", "deny_rule"),
    ],
)
def test_a_grpc_caller_reads_status_and_message_in_headers(decision: dict[str, Any], code: str, message: str) -> None:
    """E14: gRPC has no body to read a problem document from, and Envoy's own mapping makes a 429 worth a retry."""
    response = denied(CALL, **decision)
    said = headers(response)
    assert (said["grpc-status"], said["grpc-message"]) == (code, message)
    assert (said["content-type"], response.denied_response.body) == ("application/grpc", "")
    assert said["x-authz-decision-id"] == "0192f0c1"


def test_a_rule_cannot_speak_for_grpc() -> None:
    """E14: its headers do not make an error OK, or something else than gRPC."""
    chosen = (HeaderMutation(name="grpc-status", value="0"), HeaderMutation(name="content-type", value="text/html"))
    options = denied(CALL, mutations=Mutations(response_headers=chosen)).denied_response.headers
    last = {option.header.key: option.header.value for option in options}
    assert (last["grpc-status"], last["content-type"]) == ("7", "application/grpc")


def test_a_preflight_is_answered_with_nothing_but_headers() -> None:
    """No body, no type of one, and to Envoy a denial: nothing goes on."""
    response = answered(PREFLIGHT)
    assert response.status.code != 0
    assert (response.denied_response.status.code, response.denied_response.body) == (204, "")
    assert headers(response) == {
        "cache-control": "no-store",
        "x-authz-decision-id": "0192f0c1",
        "access-control-allow-origin": "https://app.example.com",
        "vary": "origin",
    }


def test_204_is_for_preflights() -> None:
    """A denial that looks like a success is none."""
    assert denied(status=204).denied_response.status.code == 500


def test_pages_of_other_origins_can_read_whatever_is_answered() -> None:
    """On an allow, on a denial, and on the denial that stands for an answer that cannot be written."""
    allow = answered(Decision(effect=Effect.ALLOW, reason=Reason.ALLOWED, status=200, cors=CORS))
    added = {option.header.key: option.header.value for option in allow.ok_response.response_headers_to_add}
    assert added == {"access-control-allow-origin": "https://app.example.com", "vary": "origin"}
    for broken in ({}, {"body": "x" * 70_000}):
        assert headers(denied(cors=CORS, **broken))["access-control-allow-origin"] == "https://app.example.com"


def test_a_page_runs_no_script_unless_its_rule_says_so() -> None:
    """A policy for pages goes with HTML and with nothing else, and never replaces the rule's own."""
    page = {"body": "<p>", "media_type": "text/html; charset=utf-8"}
    assert headers(denied(**page))["content-security-policy"].startswith("default-src 'none'")
    assert "content-security-policy" not in headers(denied(body="{}", media_type="application/json"))
    own = Mutations(response_headers=(HeaderMutation(name="content-security-policy", value="default-src 'self'"),))
    assert headers(denied(**page, mutations=own))["content-security-policy"] == "default-src 'self'"


NAMES = st.text(st.sampled_from("abcx-:_ \r\n"), max_size=12) | st.sampled_from(
    ["host", "content-length", ":path", "set-cookie", "vary", "content-type", "grpc-status", "location"]
)
HEADERS = st.lists(
    st.builds(HeaderMutation, name=NAMES, value=st.text(max_size=20), append=st.booleans()), max_size=6
).map(tuple)


@given(HEADERS, HEADERS, st.lists(NAMES, max_size=3).map(tuple), st.booleans(), st.booleans(), st.text(max_size=20))
def test_no_answer_can_break_the_checks_that_envoy_makes(
    request_headers: tuple[HeaderMutation, ...],
    response_headers: tuple[HeaderMutation, ...],
    removed: tuple[str, ...],
    allow: bool,
    call: bool,
    text: str,
) -> None:
    """E6: whatever a rule asks for, what leaves is tokens and values that HTTP carries, and not too many of them."""
    mutations = Mutations(
        request_headers=request_headers, response_headers=response_headers, request_headers_remove=removed
    )
    effect, reason = (Effect.ALLOW, Reason.ALLOWED) if allow else (Effect.DENY, Reason.DENY_RULE)
    decision = Decision(
        effect=effect, reason=reason, status=200 if allow else 403, policy="p", rule="r",
        message=text, body=text or None, mutations=mutations, cors=CORS,
    )  # fmt: skip
    response = answered(decision, CALL if call else None)
    ok, no = response.ok_response, response.denied_response
    options = [*ok.headers, *ok.response_headers_to_add, *no.headers]
    assert len(options) <= MAX_HEADERS
    for option in options:
        assert option.header.key == option.header.key.lower()
        assert not set(option.header.key) & set(': \t\r\n"(),/;<=>?@[]{}')
        assert option.header.key not in UNTOUCHABLE
        assert not any(ord(char) < 32 and char != "\t" for char in option.header.value)
        assert option.HasField("append") or option.append_action == option.APPEND_IF_EXISTS_OR_ADD
    assert not set(ok.headers_to_remove) & UNTOUCHABLE
    assert (response.status.code == 0) <= allow


def test_more_headers_than_envoy_takes_are_a_plain_denial() -> None:
    """E6: with ours beside them a hundred of a rule's are too many, and Envoy would answer 500 in our place."""
    many = tuple(HeaderMutation(name=f"x-{number}", value="") for number in range(MAX_HEADERS))
    response = denied(mutations=Mutations(response_headers=many), rule="r")
    assert json.loads(response.denied_response.body)["reason"] == "rule_error"


@pytest.mark.parametrize("reason", sorted(set(Reason) - {Reason.ALLOWED, Reason.REDIRECT_RULE, Reason.PREFLIGHT}))
def test_an_older_envoy_reads_every_answer(reason: Reason) -> None:
    """E12: nothing that Envoys before 1.37 do not know is in it, `error_response` above all."""
    response = denied(reason=reason, status=STATUS[reason])
    assert {field.name for field, _ in response.ListFields()} == {"status", "denied_response", "dynamic_metadata"}
    fields = {field.name for field, _ in response.denied_response.ListFields()}
    assert fields == {"status", "headers", "body"}


def test_an_answer_that_names_what_a_client_sent_is_not_remembered() -> None:
    """Pointers hold names that clients choose: what is kept in memory is not theirs to fill."""
    plain = Denial(Reason.INVALID_BODY, 400)

    assert plain.is_short
    assert not plain._replace(unmet=(Unmet(part="body", pointer="/a", keyword="type"),)).is_short


@pytest.mark.parametrize(("length", "reason"), [(MAX_BODY, "deny_rule"), (MAX_BODY + 1, "rule_error")])
def test_a_body_is_as_long_as_it_may_be_and_no_longer(length: int, reason: str) -> None:
    """64 KiB leave as the rule has them; a byte more is a plain denial."""
    response = denied(body="x" * length, media_type="text/plain", rule="r")
    assert response.dynamic_metadata.fields["reason"].string_value == reason
    assert (response.denied_response.body == "x" * length) == (reason == "deny_rule")


def test_what_a_rule_appends_stands_beside_ours() -> None:
    """Only what a rule sets takes the place of what we say of its body."""
    own = Mutations(
        response_headers=(
            HeaderMutation(name="vary", value="x-tenant", append=True),
            HeaderMutation(name="Cache-Control", value="private"),
        )
    )
    options = denied(body="No.", media_type="text/plain", mutations=own).denied_response.headers
    written = [(option.header.key, option.header.value) for option in options]
    assert [value for name, value in written if name == "vary"] == ["accept", "x-tenant"]
    assert [value for name, value in written if name == "cache-control"] == ["private"]
