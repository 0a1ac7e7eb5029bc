"""Records read back, and decisions made again from what they remember."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from authz.audit.line import LineWriter
from authz.audit.reads import ReadsForm, ReadsWriter
from authz.content import Body, SchemaValidators
from authz.model import ANONYMOUS, UNLIMITED, BodyState, Identity, Knowing, Location, Outcome, Peer, Reason, Request
from authz.policy import Compiler, Facts, PolicySet, UndeterminedError
from authz.policy.deciding.recorded import Redecided
from authz.server.lines import Line
from authz.server.recalling import Memory, attribute, recalled

NOON = 1_795_435_200.0

HEAD = """
apiVersion: authz/v1
kind: Policy
metadata: {name: orders}
spec:
  match: [{paths: ["/orders/{id}", "/orders"]}]
"""

BODIES = (
    # Each says another thing of the same requests; some read what others do not.
    """
  rules:
    - {name: gone, deny: request.method == "DELETE"}
    - {name: tenants, allow: '"x-tenant" in request.headers && request.headers["x-tenant"] != "evil"'}
""",
    """
  identity: {providers: [staff], required: false}
  rules:
    - {name: level, deny: 'request.headers[?"x-level"].orValue("0") == "9"'}
    - {name: own, allow: 'identity.claims.tenant == request.headers["x-tenant"] || request.method == "GET"'}
    - {name: admins, allow: '"admin" in identity.roles'}
""",
    """
  identity: {providers: [staff]}
  variables: {page: 'request.query_one["page"]', mine: identity.subject == "alice"}
  rules:
    - {name: pages, deny: variables.page == "2" && request.method == "GET"}
    - {name: mine, allow: variables.mine && (request.params.id == "7" || has(identity.claims.tenant))}
    - {name: nobody, redirect: "https://login.example.com/", when: '!identity.authenticated'}
    - {name: back, redirect: '${request.headers["x-tenant"]}', when: 'request.method == "POST"'}
""",
    """
  rules:
    - {name: sku, deny: 'request.method == "POST" && request.json.sku == "forbidden"'}
    - {name: ip, allow: 'client.ip.inCidr("203.0.113.0/24") || request.query["page"] == ["1"]'}
    - name: told
      allow: request.path.startsWith("/orders/")
      request_headers: {set: {x-page: '${request.query_one["page"]}'}}
""",
    """
  validate: [{name: small, when: request.method == "POST", schema: {type: object, required: [sku]}}]
  rules:
    - {name: all, allow: true}
""",
    """
  rules:
    - {name: keys, deny: 'request.headers.exists(name, name == "x-level")'}
    - name: agents
      allow: request.headers[?"user-agent"].orValue("").contains("curl") || has(request.headers.accept)
""",
    """
  rules:
    - {name: far, deny: 'client.geo.country != "DE"'}
    - {name: near, allow: client.geo.asn != 64500 || has(client.geo.organization)}
""",
    """
  rules:
    - {name: tools, deny: 'request.mcp.method == "tools/call" && request.mcp.tool != "search"'}
    - {name: calls, allow: 'request.mcp.method != "" || request.grpc.service == "orders"'}
    - {name: near, allow: client.geo.?country.orValue("FR") == "DE"}
""",
    """
  rules:
    - {name: envoy, allow: attributes.request.http.method == "GET"}
""",
    """
  mode: off
""",
)


def compiled(body: str) -> PolicySet:
    """Return a policy set."""
    return Compiler(validators=SchemaValidators(), providers=("staff",)).compile({"a.yaml": (HEAD + body).encode()})


POLICIES = tuple(map(compiled, BODIES))

HEADERS = st.dictionaries(
    st.sampled_from(["x-tenant", "x-level", "user-agent", "accept", "authorization"]),
    st.sampled_from(["acme", "evil", "9", "curl/8", ""]),
)
CALL = b'{"method": "tools/call", "params": {"name": "search"}}'
OTHER_CALL = b'{"method": "tools/call", "params": {"name": "refund"}}'
REQUESTS = st.fixed_dictionaries(
    {
        "method": st.sampled_from(["GET", "POST", "DELETE"]),
        "path": st.sampled_from(["/orders/7", "/orders/8", "/orders", "/elsewhere"]),
        "query": st.sampled_from(["", "page=1", "page=2", "page=1&page=2", "other=1", "1"]),
        "headers": HEADERS,
        "body": st.sampled_from([b"", b'{"sku": "forbidden"}', b'{"sku": 1}', b"[]", b"no json", CALL, OTHER_CALL]),
        "place": st.sampled_from([None, Location(), Location(asn=64500), Location(country="DE", asn=1)]),
    }
)
IDENTITIES = st.sampled_from(
    [
        ANONYMOUS,
        Identity(authenticated=True, provider="staff", subject="alice", claims={"tenant": "acme"}),
        Identity(authenticated=True, provider="staff", subject="bob", roles=("admin",), claims={"tenant": None}),
        Identity(error=Reason.INVALID_CREDENTIALS),
        Identity(error=Reason.INVALID_CREDENTIALS, provider="staff", detail="nobody holds the API key"),
    ]
)


def facts_of(words: dict[str, Any], identity: Identity = ANONYMOUS) -> Facts:
    """Return the facts of a request."""
    words = dict(words)
    place = words.pop("place", None)
    headers = dict(words["headers"])
    if words["body"]:
        headers |= {"content-type": "application/json", "content-length": str(len(words["body"]))}
    request = Request(
        **{**words, "headers": headers}, id="r", scheme="https", host="api.example.com", port=443,
        protocol="HTTP/2", time=NOON, body_state=BodyState.COMPLETE if words["body"] else BodyState.ABSENT,
        source=Peer(ip="10.1.2.3"), destination=Peer(),
    )  # fmt: skip
    return Facts(
        request=request, identity=identity, body=Body(request), client_ip="203.0.113.9", locate=lambda _: place
    )


def identified(policies: PolicySet, facts: Facts) -> Facts:
    """Return the facts as the engine would have them: where nobody is asked who is calling, nobody is."""
    if policies.select(facts.request).providers:
        return facts
    return msgspec.structs.replace(facts, identity=ANONYMOUS)


def recorded(policies: PolicySet, facts: Facts, form: ReadsForm = ReadsForm.VALUES) -> Line:
    """Decide and return the record, read back."""
    facts = identified(policies, facts)
    outcome = Outcome(
        id="d", decision=policies.select(facts.request).decide(facts), request=facts.request,
        client_ip=facts.client_ip, identity=facts.identity, usage=UNLIMITED, generation=1, policy_digest="",
        started=NOON,
    )  # fmt: skip
    line = LineWriter(reads=ReadsWriter(form, b"k"))(outcome)
    return msgspec.json.decode(line, type=Line)


def again(policies: PolicySet, line: Line) -> Redecided | frozenset[str]:
    """Return what comes out the second time, or the names of what is not known."""
    assert line.request is not None
    selection = policies.governing(line.request.host, line.request.path, line.request.method)
    try:
        return selection.redecide(*recalled(line, selection.providers))
    except UndeterminedError as error:
        return frozenset(name for name, _ in error.attributes)


@settings(max_examples=400)
@given(
    words=REQUESTS, identity=IDENTITIES, before=st.sampled_from(POLICIES), after=st.sampled_from(POLICIES),
    form=st.sampled_from(ReadsForm),
)  # fmt: skip
def test_what_is_determined_is_what_would_have_been_decided(
    words: dict[str, Any], identity: Identity, before: PolicySet, after: PolicySet, form: ReadsForm
) -> None:
    """Whatever a record holds: other policies come to the effect they would have had, or to "not known"."""
    facts = facts_of(words, identity)
    found = again(after, recorded(before, facts, form))
    if isinstance(found, Redecided):
        really = identified(after, facts)
        if identity.error is not None and not before.select(facts.request).providers:
            return  # a credential nobody looked at is on no record
        assert found.decision.effect == after.select(facts.request).decide(really).effect


@settings(max_examples=200)
@given(words=REQUESTS, identity=IDENTITIES, policies=st.sampled_from(POLICIES))
def test_the_same_policies_come_to_the_same(words: dict[str, Any], identity: Identity, policies: PolicySet) -> None:
    """With values on record, a decision made again is the same to its rule, unless it hung on a credential."""
    line = recorded(policies, facts_of(words, identity))
    found = again(policies, line)
    if isinstance(found, Redecided):
        decision = found.decision
        assert decision.effect == line.decision
        said = (decision.reason, decision.policy, decision.rule)
        assert said == (line.reason, line.policy, line.rule) or not found.exact
    else:
        assert found <= {"request.headers", "request.body"}


def test_what_was_not_recorded_is_named() -> None:
    """A policy that reads what no record holds is undetermined where that matters, and only there."""
    facts = facts_of({"method": "POST", "path": "/orders/7", "query": "", "headers": {"x-level": "9"}, "body": b""})
    line = recorded(POLICIES[0], facts)
    assert again(POLICIES[1], line) == {"identity.claims", "identity.roles"}
    gone = msgspec.structs.replace(facts, request=msgspec.structs.replace(facts.request, method="DELETE"))
    found = again(POLICIES[0], recorded(POLICIES[6], gone))
    assert isinstance(found, Redecided)
    assert (found.decision.reason, found.decision.rule, found.exact) == (Reason.DENY_RULE, "gone", True)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("request.method", ("request.method", None)),
        ('request.headers["x-tenant"]', ("request.headers", "x-tenant")),
        ('identity.claims["a\\"]["]', ("identity.claims", 'a"][')),
    ],
)
def test_an_attribute_is_read_as_it_is_written(text: str, read: tuple[str, str | None]) -> None:
    """Keys may hold what brackets and quotes are made of."""
    assert attribute(text) == read


def test_what_a_record_tells_beside_its_reads_is_known() -> None:
    """Method, addresses, listed headers and the names of the query are in every record, whatever was read."""
    line = recorded(
        POLICIES[6],
        facts_of({"method": "GET", "path": "/orders/7", "query": "page=1", "headers": {"accept": "a"}, "body": b""}),
    )
    memory = Memory(line, ())
    known = {
        ("request.method", None): Knowing.VALUE,
        ("request.params", "id"): Knowing.VALUE,
        ("request.headers", "accept"): Knowing.VALUE,
        ("request.headers", "origin"): Knowing.ABSENT,
        ("request.headers", "x-tenant"): None,
        ("request.query", "other"): Knowing.ABSENT,
        ("request.query", "page"): None,
        ("identity.subject", None): Knowing.VALUE,
        ("request.body", None): None,
    }
    assert {each: memory.knowing(*each) for each in known} == known


def test_what_was_cut_is_not_known() -> None:
    """A text that ends where records cut is not taken for the whole."""
    words = {
        "method": "GET",
        "path": "/orders/" + "7" * 600,
        "query": "",
        "headers": {"accept": "a" * 600},
        "body": b"",
    }
    memory = Memory(recorded(POLICIES[6], facts_of(words)), ())
    assert memory.knowing("request.path", None) is None
    assert memory.knowing("request.headers", "accept") is None
