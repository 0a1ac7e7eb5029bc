"""An outcome becomes an answer, and only an allow becomes an allow."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from authz import wire
from authz._pb.envoy.config.core.v3.base_pb2 import HeaderValueOption
from authz._pb.envoy.service.auth.v3.external_auth_pb2 import CheckResponse
from authz.model import (
    ANONYMOUS,
    NO_MUTATIONS,
    STATUS,
    UNLIMITED,
    Charge,
    Decision,
    Effect,
    HeaderMutation,
    Identity,
    Limit,
    LimitOutcome,
    LimitUsage,
    Mutations,
    Outcome,
    Reason,
    Unmet,
    Usage,
)

if TYPE_CHECKING:
    from authz._pb.envoy.service.auth.v3.external_auth_pb2 import DeniedHttpResponse

ID = "0192f0c1a2b34c5d8e9f001122334455"
REFUSALS = [reason for reason in Reason if reason not in {Reason.ALLOWED, Reason.REDIRECT_RULE, Reason.PREFLIGHT}]
ALLOW = Decision(effect=Effect.ALLOW, reason=Reason.ALLOWED, status=200, policy="orders", rule="readers")


def deny(reason: Reason = Reason.DENY_RULE, status: int | None = None, **rest: Any) -> Decision:
    """Return a denial."""
    return Decision(effect=Effect.DENY, reason=reason, status=status or STATUS[reason], **rest)


def redirect(location: str | None, status: int = 302) -> Decision:
    """Return a redirect by a rule."""
    return Decision(
        effect=Effect.REDIRECT,
        reason=Reason.REDIRECT_RULE,
        status=status,
        policy="o",
        rule="sign-in",
        location=location,
    )


def written(
    decision: Decision,
    *,
    identifier: str = ID,
    identity: Identity = ANONYMOUS,
    usage: Usage = UNLIMITED,
) -> CheckResponse:
    """Return the answer to a decision, parsed."""
    outcome = Outcome(
        id=identifier, decision=decision, request=None, identity=identity, usage=usage, generation=1, policy_digest=""
    )
    return CheckResponse.FromString(wire.write(outcome))


def headers(denied: DeniedHttpResponse) -> dict[str, str]:
    """Return the headers a client sees, every one of which overwrites."""
    for option in denied.headers:
        assert option.append_action == HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD
        assert option.HasField("append")
        assert not option.append.value
    return {option.header.key: option.header.value for option in denied.headers}


def over(name: str, retry_after: float | None) -> LimitUsage:
    """Return what an exhausted limit answers."""
    charge = Charge(limit=Limit(name=name, requests=3, period=60.0), key=("k",))
    return LimitUsage(charge=charge, outcome=LimitOutcome.OVER, remaining=0, reset=60.0, retry_after=retry_after)


def test_a_plain_allow() -> None:
    """Status and `ok_response` are there, and the metadata names what settled it."""
    response = written(ALLOW)
    assert response.HasField("status")
    assert response.status.code == 0
    assert response.WhichOneof("http_response") == "ok_response"
    assert not response.ok_response.HasField("dynamic_metadata")
    assert MessageToDict(response.dynamic_metadata) == {
        "decision_id": ID,
        "policy": "orders",
        "rule": "readers",
        "reason": "allowed",
    }


def test_an_allow_with_mutations() -> None:
    """Row E11: everything a rule asked for, metadata in the outer field only, our own words not overridden."""
    mutations = Mutations(
        request_headers=(HeaderMutation(name="x-subject", value="alice"),),
        request_headers_remove=("authorization",),
        response_headers=(HeaderMutation(name="via", value="authz", append=True),),
        query_set=(("tenant", "a&b"),),
        query_remove=("debug",),
        metadata={"tenant": {"name": "acme", "tags": ["a", 1, None, True]}, "decision_id": "forged"},
    )
    response = written(Decision(effect=Effect.ALLOW, reason=Reason.ALLOWED, status=200, mutations=mutations))
    ok = response.ok_response
    assert [(option.header.key, option.header.value) for option in ok.headers] == [("x-subject", "alice")]
    assert [(option.header.key, option.header.value) for option in ok.response_headers_to_add] == [("via", "authz")]
    assert list(ok.headers_to_remove) == ["authorization"]
    assert [(parameter.key, parameter.value) for parameter in ok.query_parameters_to_set] == [("tenant", "a%26b")]
    assert list(ok.query_parameters_to_remove) == ["debug"]
    assert not ok.HasField("dynamic_metadata")
    assert MessageToDict(response.dynamic_metadata) == {
        "tenant": {"name": "acme", "tags": ["a", 1, None, True]},
        "decision_id": ID,
        "reason": "allowed",
    }


def test_a_further_part_goes_with_an_allow_and_nothing_else() -> None:
    """Protobuf joins the parts of one message: what the rules change stays, and a denial stays what it is."""
    part = wire.allow_part(
        Mutations(request_headers=(HeaderMutation(name="x-more", value="1"),), request_headers_remove=("x-less",))
    )
    rules = Mutations(request_headers=(HeaderMutation(name="x-subject", value="alice"),))
    for decision, names in ((ALLOW, ["x-more"]), (replace(ALLOW, mutations=rules), ["x-subject", "x-more"])):
        plain, more = answers(decision, part)
        assert [option.header.key for option in more.ok_response.headers] == names
        assert list(more.ok_response.headers_to_remove) == ["x-less"]
        assert (more.status, more.dynamic_metadata) == (plain.status, plain.dynamic_metadata)
    unfit = Mutations(request_headers=(HeaderMutation(name="host", value="x"),))
    for decision in (deny(), redirect("/"), replace(ALLOW, mutations=unfit)):
        plain, more = answers(decision, part)
        assert more == plain
        assert more.WhichOneof("http_response") == "denied_response"
    with pytest.raises(ValueError, match="control"):
        wire.allow_part(Mutations(request_headers=(HeaderMutation(name="x", value="a\nb"),)))


def answers(decision: Decision, part: bytes) -> tuple[CheckResponse, CheckResponse]:
    """Return the answer to a decision without and with a further part."""
    outcome = Outcome(
        id=ID, decision=decision, request=None, identity=ANONYMOUS, usage=UNLIMITED, generation=1, policy_digest=""
    )
    return CheckResponse.FromString(wire.write(outcome)), CheckResponse.FromString(wire.write(outcome, further=part))


@pytest.mark.parametrize("reason", REFUSALS)
def test_every_reason_denies(reason: Reason) -> None:
    """Rows I1, I2, I9: a status code that is not 0, a `denied_response`, the reason's status, a problem document."""
    response = written(deny(reason, policy="orders"))
    assert response.status.code != 0
    assert response.WhichOneof("http_response") == "denied_response"
    denied = response.denied_response
    assert denied.status.code == STATUS[reason]
    seen = headers(denied)
    assert seen["x-authz-decision-id"] == ID
    assert seen["content-type"] == "application/problem+json"
    assert seen["cache-control"] == "no-store"
    problem = json.loads(denied.body)
    assert problem["type"] == "about:blank"
    assert problem["title"]
    assert (problem["status"], problem["reason"], problem["decision_id"]) == (STATUS[reason], reason, ID)
    assert MessageToDict(response.dynamic_metadata) == {"decision_id": ID, "policy": "orders", "reason": reason}


@pytest.mark.parametrize(
    ("status", "code"), [(400, 3), (401, 16), (403, 7), (404, 5), (418, 7), (429, 8), (500, 13), (503, 14), (504, 4)]
)
def test_the_grpc_code_follows_the_status(status: int, code: int) -> None:
    """The code says in gRPC's words what the status says in HTTP's."""
    response = written(deny(status=status))
    assert (response.status.code, response.denied_response.status.code) == (code, status)


def test_the_message_of_a_rule_is_told_and_nothing_else() -> None:
    """Row O3: `detail` is what the author wrote; the operator's detail and rule errors stay inside."""
    problem = json.loads(written(deny(message='Read-only "today".', rule="freeze")).denied_response.body)
    assert problem["detail"] == 'Read-only "today".'
    assert problem.keys() == {"type", "title", "status", "detail", "reason", "decision_id"}
    outcome = Outcome(
        id=ID, decision=deny(Reason.RULE_ERROR), request=None, identity=ANONYMOUS, usage=UNLIMITED, generation=1,
        policy_digest="", detail="secret-canary",
    )  # fmt: skip
    assert b"canary" not in wire.write(outcome)


def test_what_a_validation_found_is_told_by_pointer_and_keyword() -> None:
    """O2: the caller sees where and against which keyword, in a bounded number, and each answer is its own."""
    found = [Unmet(part="query", pointer=f"/{number}", keyword="maximum") for number in range(100)]
    one = written(deny(Reason.INVALID_BODY, unmet=tuple(found[:1])))
    many = written(deny(Reason.INVALID_BODY, unmet=tuple(found)))

    assert json.loads(one.denied_response.body)["errors"] == [{"in": "query", "pointer": "/0", "keyword": "maximum"}]
    assert len(json.loads(many.denied_response.body)["errors"]) == 20


@pytest.mark.parametrize("pointer", ["/" + "x" * 100_000, '/"}\n\x1b\u2028é', "/" + ID, "/" + "~" * 32])
def test_whatever_a_client_names_its_members_the_answer_is_whole(pointer: str) -> None:
    """I1: a pointer holds names that a client chose; they neither break the document nor make it long."""
    unmet = (Unmet(part="body", pointer=pointer, keyword="type"),) * 100
    denied = written(deny(Reason.INVALID_BODY, unmet=unmet)).denied_response

    problem = json.loads(denied.body)
    assert (problem["status"], problem["decision_id"]) == (400, ID)
    assert problem["errors"][0]["pointer"] == pointer[:512]
    assert len(denied.body) < 64 * 1024


def test_a_rules_own_body_replaces_the_problem_document() -> None:
    """The body travels as text unless the rule's headers describe it; the decision id stays ours."""
    chosen = Mutations(
        response_headers=(
            HeaderMutation(name="Content-Type", value="text/html"),
            HeaderMutation(name="x-authz-decision-id", value="forged"),
        )
    )
    plain = written(deny(body="Closed.")).denied_response
    assert (plain.body, headers(plain)["content-type"]) == ("Closed.", "text/plain; charset=utf-8")
    assert headers(plain)["x-content-type-options"] == "nosniff"
    described = written(deny(body="<p>Closed.", mutations=chosen)).denied_response
    assert [option.header.key for option in described.headers].count("content-type") == 1
    assert headers(described)["content-type"] == "text/html"
    assert headers(described)["x-authz-decision-id"] == ID
    assert headers(described)["cache-control"] == "no-store"


def test_long_answers_are_written_and_not_remembered() -> None:
    """What a template made long is answered in full; the cache stays small."""
    for size in (10, 1024, 1025, 60_000):
        assert written(deny(body="x" * size)).denied_response.body == "x" * size
    assert json.loads(written(deny(message="x" * 5000)).denied_response.body)["detail"] == "x" * 2048


def test_a_denial_carries_no_change_of_the_request() -> None:
    """What an allow would have written is not told to the client."""
    mutations = Mutations(request_headers=(HeaderMutation(name="x-internal", value="canary"),))
    assert b"canary" not in written(deny(mutations=mutations)).SerializeToString()


def test_a_redirect() -> None:
    """A redirect is a denied response with a location."""
    response = written(redirect("https://login.example.com/?next=%2F"))
    assert response.status.code != 0
    assert response.denied_response.status.code == 302
    assert headers(response.denied_response)["location"] == "https://login.example.com/?next=%2F"


def test_a_challenge_goes_with_every_401() -> None:
    """A 401 names how to authenticate (RFC 9110, 15.5.2): the identity's way, else the plainest."""
    for reason in (Reason.UNAUTHENTICATED, Reason.INVALID_CREDENTIALS):
        told = written(deny(reason), identity=Identity(challenge='Bearer realm="shop"')).denied_response
        assert headers(told)["www-authenticate"] == 'Bearer realm="shop"'
        assert headers(written(deny(reason)).denied_response)["www-authenticate"] == "Bearer"
        assert headers(written(deny(reason), identity=Identity(challenge="a\nb")).denied_response)["www-authenticate"]
    assert "www-authenticate" not in headers(written(deny()).denied_response)


@pytest.mark.parametrize(
    ("waits", "header", "limit"),
    [
        ([44.2], "45", "l/0"),
        ([45.0], "45", "l/0"),
        ([0.01], "1", "l/0"),
        ([0.0], "1", "l/0"),
        ([None], "1", "l/0"),
        ([3.0, 60.5, 7.0], "61", "l/1"),
        ([math.inf], "31622400", "l/0"),
        ([math.nan], "1", "l/0"),
        ([-5.0], "1", "l/0"),
        ([], "1", None),
    ],
)
def test_a_429_says_how_long_and_which(waits: list[float | None], header: str, limit: str | None) -> None:
    """Retry-After is whole seconds, rounded up, at least 1: those of the limit that takes longest, which is named."""
    usages = tuple(over(f"l/{index}", wait) for index, wait in enumerate(waits))
    response = written(deny(Reason.RATE_LIMITED), usage=Usage(admitted=False, limits=usages))
    assert response.status.code == 8
    assert headers(response.denied_response)["retry-after"] == header
    assert json.loads(response.denied_response.body).get("limit") == limit


def test_limits_that_were_not_over_are_not_named() -> None:
    """A shadow limit and one with room left say nothing to the client."""
    room = LimitUsage(
        charge=over("room", 1).charge, outcome=LimitOutcome.WOULD_LIMIT, remaining=0, reset=9, retry_after=99
    )
    usage = Usage(admitted=False, limits=(room, over("l/full", 2.0)))
    problem = json.loads(written(deny(Reason.RATE_LIMITED), usage=usage).denied_response.body)
    assert problem["limit"] == "l/full"


def test_overload_says_when_to_come_back() -> None:
    """`overloaded` carries Retry-After; a denial by a rule does not."""
    assert headers(written(deny(Reason.OVERLOADED)).denied_response)["retry-after"] == "1"
    assert "retry-after" not in headers(written(deny()).denied_response)


UNFIT = [
    Mutations(request_headers=(HeaderMutation(name="x-user", value="a\r\nb"),)),
    Mutations(request_headers=(HeaderMutation(name=":path", value="/admin"),)),
    Mutations(response_headers=(HeaderMutation(name="content-length", value="0"),)),
    Mutations(request_headers_remove=("host",)),
    Mutations(query_set=(("a", "\ud800"),)),
    Mutations(metadata={"a": math.nan}),
    Mutations(metadata={"a": object()}),
    Mutations(request_headers=tuple(HeaderMutation(name="x", value="") for _ in range(101))),
]


@pytest.mark.parametrize("mutations", UNFIT, ids=range(len(UNFIT)))
def test_an_allow_that_cannot_be_written_is_a_denial(mutations: Mutations) -> None:
    """Row E6: never an exception, never an allow without what it was to carry."""
    for rule, reason in (("readers", Reason.RULE_ERROR), (None, Reason.INTERNAL_ERROR)):
        decision = Decision(
            effect=Effect.ALLOW, reason=Reason.ALLOWED, status=200, policy="orders", rule=rule, mutations=mutations
        )
        response = written(decision)
        assert response.status.code != 0
        assert json.loads(response.denied_response.body)["reason"] == reason
        assert headers(response.denied_response)["x-authz-decision-id"] == ID


@pytest.mark.parametrize(
    "decision",
    [
        redirect(None),
        redirect(""),
        redirect("https://a/\r\nset-cookie: a=b"),
        redirect("https://a/ b"),
        redirect("https://ä/"),
        redirect("https://a/", status=200),
        deny(status=200),
        deny(status=302),
        deny(status=99),
        deny(status=10**9),
        deny(message="\ud800"),
        deny(body="x" * 70_000),
        deny(mutations=Mutations(response_headers=(HeaderMutation(name="a b", value=""),))),
        deny(mutations=Mutations(metadata={"a": math.inf})),
    ],
)
def test_a_denial_that_cannot_be_written_is_a_plain_one(decision: Decision) -> None:
    """A denial never turns into anything else, whatever it was to carry."""
    response = written(decision)
    assert response.status.code != 0
    assert response.denied_response.status.code in {403, 500}
    assert "location" not in headers(response.denied_response)


@pytest.mark.parametrize("identifier", ["", "a b", 'a"b', "ä", "x" * 65, "~" * 32, None, 7])
def test_an_id_that_cannot_be_written_is_the_last_resort(identifier: Any) -> None:
    """Our own fault is a denial too."""
    for decision in (ALLOW, deny()):
        assert written(decision, identifier=identifier) == CheckResponse.FromString(wire.LAST_RESORT)


def test_the_last_resort_denies() -> None:
    """Row I2: the constant is a complete denial."""
    response = CheckResponse.FromString(wire.LAST_RESORT)
    assert response.status.code == 13
    assert response.denied_response.status.code == 500
    assert json.loads(response.denied_response.body)["reason"] == "internal_error"


def test_an_effect_is_an_allow_by_identity_only() -> None:
    """Anything that is not `Effect.ALLOW` denies: also a text that equals it, and nonsense."""
    for effect in ("allow", "ALLOW", None, True):
        decision = Decision(effect=effect, reason=Reason.ALLOWED, status=200)  # type: ignore[arg-type] - on purpose
        assert written(decision).status.code != 0


@given(
    identifier=st.from_regex(r"[A-Za-z0-9._-]{1,64}", fullmatch=True),
    message=st.text(st.sampled_from('~\x7f^a"\\ä\n'), max_size=80),
    policy=st.none() | st.text(st.sampled_from("~a-"), max_size=70),
)
def test_a_remembered_answer_is_the_answer(identifier: str, message: str, policy: str | None) -> None:
    """Cutting a remembered answer at the id's stand-in gives what serializing it afresh gives."""
    fresh = Mutations()
    assert fresh is not NO_MUTATIONS
    for effect, status in ((Effect.ALLOW, 200), (Effect.DENY, 403)):
        decisions = [
            Decision(
                effect=effect,
                reason=Reason.DENY_RULE,
                status=status,
                policy=policy,
                message=message,
                mutations=mutations,
            )
            for mutations in (NO_MUTATIONS, fresh)
        ]
        assert written(decisions[0], identifier=identifier) == written(decisions[1], identifier=identifier)
        assert MessageToDict(written(decisions[0], identifier=identifier).dynamic_metadata)["decision_id"] == identifier


@given(
    st.lists(
        st.builds(
            HeaderMutation,
            name=st.sampled_from(["ratelimit", "x-y", "~", "x~y", "~" * 126]),
            value=st.text(st.sampled_from("a~\u00e9 "), max_size=200) | st.integers(0, 300).map("~".__mul__),
            append=st.booleans(),
        ),
        max_size=4,
    )
)
@example([HeaderMutation(name="x-y", value="a" * 126)])  # its length is written as the stand-in's own letter
@example([HeaderMutation(name="ratelimit-policy", value="b"), HeaderMutation(name="ratelimit", value="a" * 126)])
def test_headers_that_are_told_are_the_headers(headers: list[HeaderMutation]) -> None:
    """Cut into remembered parts, they read as they do when they are written anew, whatever they hold."""
    remembered = written(replace(ALLOW, cors=tuple(headers)))
    anew = written(replace(ALLOW, mutations=Mutations(response_headers=tuple(headers), metadata={"x": 1})))
    assert remembered.ok_response == anew.ok_response


@given(st.builds(Mutations, metadata=st.dictionaries(st.text(), st.integers() | st.text() | st.binary() | st.floats())))
def test_no_metadata_makes_an_answer_fail(mutations: Mutations) -> None:
    """Whatever a rule computed, there is an answer, and it is the allow or a denial."""
    response = written(Decision(effect=Effect.ALLOW, reason=Reason.ALLOWED, status=200, mutations=mutations))
    assert (response.status.code == 0) == (response.WhichOneof("http_response") == "ok_response")
