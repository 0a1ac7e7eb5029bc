"""Which pages of other origins may call: preflights and real requests, with policies as they are written."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.model import Decision, Effect, Reason
from authz.policy import Compiler, PolicySet, cors
from authz.policy.documents import Cors
from authz.policy.source import Text

APP = "https://app.example.com"
POLICIES = """
apiVersion: authz/v1
kind: Policy
metadata: {name: api}
spec:
  match: [{paths: ["/v1/**"], methods: [GET, PUT, DELETE]}]
  identity: {providers: [staff]}
  cors:
    origins: [https://app.example.com, "https://*.example.org", "http://localhost:3000"]
    methods: [GET, PUT]
    headers: [content-type, authorization]
    expose: [x-authz-decision-id]
    credentials: true
    max_age: 10m
  rules: [{name: all, allow: true}]
---
apiVersion: authz/v1
kind: Policy
metadata: {name: narrow}
spec:
  match: [{paths: ["/v1/narrow"]}]
  cors: {origins: ["https://app.example.com"], methods: [PUT, DELETE], headers: [authorization], max_age: 1m}
  rules: [{name: all, allow: true}]
---
apiVersion: authz/v1
kind: Policy
metadata: {name: open}
spec:
  match: [{paths: ["/open"]}]
  cors: {origins: ["*"]}
  rules: [{name: all, allow: true}, {name: never, deny: '"x-bad" in request.headers'}]
---
apiVersion: authz/v1
kind: Policy
metadata: {name: silent}
spec:
  match: [{paths: ["/**"]}]
  rules: [{name: all, allow: true}]
---
apiVersion: authz/v1
kind: Guardrail
metadata: {name: everywhere}
spec:
  rules: [{name: known, deny: '!identity.authenticated && request.path.startsWith("/v1/")'}]
"""


@pytest.fixture(name="policies")
def _policies(compiler: Compiler) -> PolicySet:
    return compiler.compile({"p.yaml": POLICIES.encode()})


def asked(
    policies: PolicySet, make: Any, path: str, headers: dict[str, str], method: str = "OPTIONS", **more: Any
) -> Decision:
    """Return what is decided of a request."""
    facts = make.facts(make.request({"method": method, "path": path, "headers": headers, **more}))
    return policies.select(facts.request).decide(facts)


def preflight(
    policies: PolicySet, make: Any, path: str, origin: str, method: str = "PUT", headers: str = ""
) -> Decision:
    """Return the answer to a preflight."""
    wanted = {"access-control-request-headers": headers} if headers else {}
    return asked(policies, make, path, {"origin": origin, "access-control-request-method": method, **wanted})


def told(decision: Decision) -> dict[str, str]:
    """Return what an answer says of CORS."""
    return {header.name: header.value for header in decision.cors}


def test_a_preflight_is_answered_without_identity_rules_or_upstream(policies: PolicySet, make: Any) -> None:
    """204, though the policy wants an identity, a guardrail denies those without one, and OPTIONS is not in `match`."""
    decision = preflight(policies, make, "/v1/orders", APP, headers="Authorization, content-type")
    assert (decision.effect, decision.reason, decision.status) == (Effect.ANSWER, Reason.PREFLIGHT, 204)
    assert (decision.policy, decision.charges, decision.mutations.request_headers) == ("api", (), ())
    assert told(decision) == {
        "access-control-allow-origin": APP,
        "access-control-allow-credentials": "true",
        "access-control-allow-methods": "GET, PUT",
        "access-control-allow-headers": "content-type, authorization",
        "access-control-max-age": "600",
        "vary": "origin, access-control-request-method, access-control-request-headers",
    }
    facts = make.facts(make.request({"method": "OPTIONS"}))
    assert policies.select(facts.request).cors(facts) == ()


@pytest.mark.parametrize(
    ("origin", "method", "headers"),
    [
        ("https://evil.test", "PUT", ""),
        ("null", "PUT", ""),
        ("", "PUT", ""),
        ("https://app.example.com.evil.test", "PUT", ""),
        ("https://evil-app.example.com", "PUT", ""),
        ("http://app.example.com", "PUT", ""),
        ("https://app.example.com:8443", "PUT", ""),
        ("https://APP.example.com", "PUT", ""),
        ("https://app.example.com/", "PUT", ""),
        ("https://app.example.com,https://evil.test", "PUT", ""),
        ("https://example.org", "PUT", ""),
        ("https://evilexample.org", "PUT", ""),
        ("https://a.example.org.evil.test", "PUT", ""),
        ("https://a@b.example.org", "PUT", ""),
        ("https://a/.example.org", "PUT", ""),
        ("https://a.example.org\n", "PUT", ""),
        ("http://localhost:3001", "PUT", ""),
        (APP, "DELETE", ""),
        (APP, "PUT", "x-other"),
        (APP, "PUT", "authorization, x-other"),
        (APP, "PUT", "authorization," * 100),
    ],
)
def test_a_preflight_that_is_not_permitted_hears_nothing(
    origin: str, method: str, headers: str, policies: PolicySet, make: Any
) -> None:
    """403 and no word of CORS but what the answer depends on; `Origin` is never reflected because it came."""
    decision = preflight(policies, make, "/v1/orders", origin, method, headers)
    assert (decision.effect, decision.reason, decision.status) == (Effect.DENY, Reason.PREFLIGHT, 403)
    assert list(told(decision)) == ["vary"]


@pytest.mark.parametrize("origin", [APP, "https://a.example.org", "https://a.b.example.org", "http://localhost:3000"])
def test_origins_that_were_named_may(origin: str, policies: PolicySet, make: Any) -> None:
    """Exact ones, and `*.` for one or more labels."""
    assert told(preflight(policies, make, "/v1/orders", origin))["access-control-allow-origin"] == origin


def test_a_page_may_what_all_policies_permit(policies: PolicySet, make: Any) -> None:
    """A policy narrows what another says, and never widens it; one that says nothing does neither."""
    decision = preflight(policies, make, "/v1/narrow", APP, headers="authorization")
    assert told(decision) == {
        "access-control-allow-origin": APP,
        "access-control-allow-methods": "PUT",
        "access-control-allow-headers": "authorization",
        "access-control-max-age": "60",
        "vary": "origin, access-control-request-method, access-control-request-headers",
    }
    assert preflight(policies, make, "/v1/narrow", "https://a.example.org").status == 403
    assert preflight(policies, make, "/v1/narrow", APP, "GET").status == 403


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("OPTIONS", {"origin": APP}),
        ("OPTIONS", {"access-control-request-method": "PUT"}),
        ("POST", {"origin": APP, "access-control-request-method": "PUT"}),
    ],
)
def test_what_is_no_preflight_is_decided(method: str, headers: dict[str, str], policies: PolicySet, make: Any) -> None:
    """Only OPTIONS with both headers is a preflight; nobody gets around the rules with half of one."""
    assert asked(policies, make, "/v1/orders", headers, method).reason is not Reason.PREFLIGHT


def test_a_preflight_where_nobody_speaks_of_cors_is_a_request(policies: PolicySet, make: Any) -> None:
    """An upstream that answers preflights itself gets them, if rules let them through."""
    decision = preflight(policies, make, "/elsewhere", APP)
    assert (decision.effect, decision.cors) == (Effect.ALLOW, ())


def test_an_ambiguous_path_is_refused_first(policies: PolicySet, make: Any) -> None:
    """A preflight has one reading, too."""
    headers = {"origin": APP, "access-control-request-method": "PUT"}
    decision = asked(policies, make, "/v1/a%2Fb", headers, ambiguities=["encoded_slash"])
    assert decision.reason is Reason.AMBIGUOUS_REQUEST


@pytest.mark.parametrize("identity", [None, {"subject": "alice"}])
def test_every_answer_to_a_named_origin_can_be_read(
    identity: dict[str, str] | None, policies: PolicySet, make: Any
) -> None:
    """Allowed or denied: a page that could not read a 401 could not send its user to sign in."""
    for origin, words in ((APP, {"access-control-allow-origin": APP}), ("https://evil.test", {})):
        facts = make.facts(make.request({"path": "/v1/orders", "headers": {"origin": origin}}), identity)
        decision = policies.select(facts.request).decide(facts)
        assert decision.effect is (Effect.ALLOW if identity else Effect.DENY)
        credentials = {
            "access-control-allow-credentials": "true",
            "access-control-expose-headers": "x-authz-decision-id",
        }
        assert told(decision) == ({**words, **credentials} if words else {}) | {"vary": "origin"}


def test_everybody_is_a_star_and_gets_no_credentials(policies: PolicySet, make: Any) -> None:
    """`*` is not reflected, so that one cached answer is everybody's; a denial says it too."""
    for headers in ({"origin": APP}, {"origin": "null", "x-bad": "1"}):
        decision = asked(policies, make, "/open", headers, "GET")
        assert told(decision) == {"access-control-allow-origin": "*"}
    assert told(preflight(policies, make, "/open", "null", "POST"))["access-control-allow-methods"] == "GET, HEAD, POST"


def test_a_kept_decision_is_told_to_each_origin_in_its_own_words(policies: PolicySet, make: Any) -> None:
    """What is kept is the decision; what is said of CORS is the request's."""
    said = []
    for origin in (APP, "https://evil.test", "http://localhost:3000", APP):
        facts = make.facts(make.request({"path": "/v1/x", "headers": {"origin": origin}}), {"subject": "alice"})
        said.append(told(policies.select(facts.request).decide(facts)))
    assert [one.get("access-control-allow-origin") for one in said] == [APP, None, "http://localhost:3000", APP]


def test_envoy_has_to_send_what_browsers_ask_with(policies: PolicySet) -> None:
    """E9: a header that Envoy is told to leave out would make every preflight a request."""
    assert policies.needs.headers is not None
    assert policies.needs.headers >= set(cors.ASKED)


@given(st.text(max_size=50) | st.from_regex(r"https?://[a-z./@:]*example\.(org|com)[:0-9]*", fullmatch=True))
def test_no_origin_is_let_in_that_was_not_named(origin: str) -> None:
    """Whatever `Origin` says, and however much it looks like one that was."""
    names = (APP, "https://*.example.org", "http://localhost:3000")
    rule = cors.compiled(Cors.model_construct(origins=tuple(map(Text, names)), credentials=True))
    if rule.admits(origin) and origin not in names:
        labels = origin.removeprefix("https://").removesuffix(".example.org")
        assert all(label.replace("-", "").replace("_", "").isalnum() for label in labels.split("."))
