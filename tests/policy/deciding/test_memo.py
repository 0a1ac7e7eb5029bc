"""A decision that is kept is the decision that would be made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from authz.content import SchemaValidators
from authz.model import Ambiguity, Effect, Location, Reason
from authz.policy import Compiler
from authz.policy.deciding.memo import LONGEST, MOST, TRIAL, Remembered

if TYPE_CHECKING:
    from conftest import Make

    from authz.policy import Facts, PolicySet
    from authz.policy.deciding.plan import Plan

ORDERS = """
apiVersion: authz/v1
kind: Policy
metadata: {name: orders}
spec:
  match: [{paths: ["/orders/{id}", "/tenants/{tenant}/orders/{id}"]}]
  variables:
    tenant: request.headers[?"x-tenant"].orValue("none")
  rules:
    - name: blocked
      deny: client.ip.inSet(data.blocked) || request.headers[?"x-level"].orValue("0") == "9"
    - name: own
      allow: variables.tenant == "acme" && request.method in ["GET", "POST"]
      request_headers: {set: {x-was: "${request.method} ${variables.tenant}"}}
    - name: repeated
      allow: request.query_one["page"] == "1"
  limits:
    - {name: per-tenant, key: variables.tenant, rate: 3/minute}
---
apiVersion: authz/v1
kind: Data
metadata: {name: blocked}
spec: {networks: [203.0.113.0/24]}
"""


def compiled(source: str) -> PolicySet:
    """Return a policy set."""
    return Compiler(validators=SchemaValidators(), providers=("staff",)).compile({"a.yaml": source.encode()})


def policy(allow: str, *more: str) -> str:
    """Return a policy of one allow rule that governs everything."""
    lines = ["apiVersion: authz/v1", "kind: Policy", "metadata: {name: one}", "spec:", '  match: [{paths: ["/**"]}]']
    return "\n".join([*lines, *more, "  rules:", f"    - {{name: r, allow: '{allow}'}}"])


def plan_of(policies: PolicySet, facts: Facts) -> Plan:
    """Return the plan that decides these facts."""
    return policies.select(facts.request)._plan


def kept(policies: PolicySet, facts: Facts) -> bool:
    """Decide, and say whether one decision more is kept."""
    remembered = plan_of(policies, facts).world.remembered
    before = len(remembered)
    policies.select(facts.request).decide(facts)
    return len(remembered) > before


IP = "198.51.100.1"

REQUESTS = st.fixed_dictionaries(
    {
        "method": st.sampled_from(["GET", "POST", "DELETE"]),
        "path": st.sampled_from(["/orders/1", "/orders/2", "/tenants/a/orders/1", "/tenants/b/orders/1"]),
        "query": st.sampled_from(["", "page=1", "page=1&page=1", "page=2"]),
        "headers": st.dictionaries(
            st.sampled_from(["x-tenant", "x-level", "x-other"]), st.sampled_from(["acme", "9", "", "none", "x" * 300])
        ),
        "invalid_headers": st.sampled_from([(), ("x-tenant",)]),
        "ambiguities": st.sampled_from([(), (Ambiguity.ENCODED_SLASH,)]),
    }
)

SHARED = compiled(ORDERS)


@given(asked=st.lists(st.tuples(REQUESTS, st.sampled_from(["203.0.113.9", IP])), min_size=2, max_size=30))
def test_a_kept_decision_is_the_one_that_would_be_made(make: Make, asked: list[tuple[dict[str, Any], str]]) -> None:
    """Whatever was decided before, in whichever order: the decision is that of a look at this request alone."""
    for words, ip in asked:
        facts = make.facts(make.request(words), client_ip=ip)
        selection = SHARED.select(facts.request)
        assert selection.decide(facts) == selection._decide(facts)


def test_a_decision_is_found_again(make: Make) -> None:
    """The same values, in a request that differs in what no rule reads: the very same decision."""
    policies = compiled(ORDERS)
    first = make.facts(make.request({"path": "/orders/1", "headers": {"x-tenant": "acme", "x-other": "1"}}), None, IP)
    second = make.facts(make.request({"path": "/orders/2", "headers": {"x-tenant": "acme", "x-other": "2"}}), None, IP)
    decision = policies.select(first.request).decide(first)
    assert decision.effect is Effect.ALLOW
    assert policies.select(second.request).decide(second) is decision


@pytest.mark.parametrize(
    "claims", [{"level": 1}, {"level": 1.0}, {"level": True}, {"level": ["1"]}, {"level": {"a": 1}}]
)
def test_only_texts_are_compared(make: Make, claims: dict[str, object]) -> None:
    """C6: `1`, `1.0` and `true` are one key to a dict and three values to a rule, so none of them is kept."""
    policies = compiled(policy("identity.claims.level == 1", "  identity: {providers: [staff]}"))
    facts = make.facts(make.request({}), {"claims": claims})
    assert not kept(policies, facts)
    assert kept(policies, make.facts(make.request({}), {"claims": {"level": "1"}}))


def test_a_claim_that_is_null_is_not_one_that_is_absent(make: Make) -> None:
    """`has()` tells them apart, so a decision for one is not the decision for the other."""
    policies = compiled(policy("!has(identity.claims.suspended)", "  identity: {providers: [staff]}"))
    absent = make.facts(make.request({}), {"claims": {"level": "1"}})
    null = make.facts(make.request({}), {"claims": {"suspended": None}})
    effects = [policies.select(f.request).decide(f).effect for f in (absent, null, absent)]
    assert effects == [Effect.ALLOW, Effect.DENY, Effect.ALLOW]


def test_a_bad_credential_is_not_the_good_one_of_before(make: Make) -> None:
    """Who is calling, and whether they proved it, is part of what a decision follows from."""
    policies = compiled(policy('request.method == "GET"', "  identity: {providers: [staff]}"))
    nobody = make.facts(make.request({}))
    staff = make.facts(make.request({}), {"subject": "alice"})
    bad = make.facts(make.request({}), {"error": "invalid_credentials"})
    reasons = [policies.select(f.request).decide(f).reason for f in (staff, bad, nobody) * 2]
    assert reasons == [Reason.ALLOWED, Reason.INVALID_CREDENTIALS, Reason.UNAUTHENTICATED] * 2


@pytest.mark.parametrize(("allow", "reads"), [
    ('now() > timestamp("2020-01-01T00:00:00Z")', "the time"),
    ("request.json.a == 1", "the body"),
    ("size(request.headers) > 0", "all of a map"),
    ('metadata["a"].b == 1', "Envoy's metadata"),
    ('attributes.request.http.method == "GET"', "Envoy's message"),
])  # fmt: skip
def test_a_plan_that_reads_more_than_short_texts_keeps_nothing(make: Make, allow: str, reads: str) -> None:
    """What can't be compared cheaply and exactly is decided every time."""
    facts = make.facts(make.request({"method": "POST", "json": {"a": 1}}))
    assert plan_of(compiled(policy(allow)), facts).memo is None, reads


@pytest.mark.parametrize("names", ["wk", "kw", "kwk"])
def test_a_map_that_one_document_reads_whole_is_read_whole(make: Make, names: str) -> None:
    """Whichever documents read a key of it, before or after: else a decision would be kept for all other headers."""
    reads = {"w": 'request.headers.exists(name, name == "x-a")', "k": 'request.headers["x-b"] == "b"'}
    documents = [policy(reads[name]).replace("one", f"p{place}") for place, name in enumerate(names)]
    policies = compiled("\n---\n".join(documents))
    for headers, effect in (({"x-a": "a", "x-b": "b"}, Effect.ALLOW), ({"x-b": "b"}, Effect.DENY)):
        facts = make.facts(make.request({"headers": headers}))
        assert policies.select(facts.request).decide(facts).effect is effect
        assert not kept(policies, facts)


@pytest.mark.parametrize("more", ["  mode: shadow", "  validate: [{name: v, max_bytes: 3}]"])
def test_a_plan_that_validates_or_is_in_shadow_keeps_nothing(make: Make, more: str) -> None:
    """A body's size and what a shadow says are not among the values."""
    facts = make.facts(make.request({}))
    source = policy("true") + "\n---\n" + policy("true", more).replace("name: one", "name: two")
    assert plan_of(compiled(source), facts).memo is None


def test_long_values_are_not_kept(make: Make) -> None:
    """What a caller sends must not fill the memory."""
    policies = compiled(ORDERS)
    assert kept(policies, make.facts(make.request({"path": "/orders/1", "headers": {"x-tenant": "x" * LONGEST}})))
    assert not kept(
        policies, make.facts(make.request({"path": "/orders/1", "headers": {"x-tenant": "x" * (LONGEST + 1)}}))
    )


def test_a_character_beyond_ascii_counts_as_four(make: Make) -> None:
    """R9: what is kept is bounded by the memory it takes, which for an emoji is that of four letters."""
    policies = compiled(ORDERS)
    for fits, length in ((True, LONGEST // 4), (False, LONGEST // 4 + 1)):
        headers = {"x-tenant": "\U0001f600" * length}
        assert kept(policies, make.facts(make.request({"path": "/orders/1", "headers": headers}))) is fits


def test_many_short_values_are_as_long_as_a_long_one(make: Make) -> None:
    """A path of very many segments is not kept: thousands of them would be hundreds of megabytes."""
    policies = compiled(policy('request.segments[0] == "a"'))
    assert kept(policies, make.facts(make.request({"path": "/a" * 200})))
    assert not kept(policies, make.facts(make.request({"path": f"/a/{'/'.join(['x' * 200] * 20)}"})))


def test_decisions_are_kept_up_to_a_bound(make: Make) -> None:
    """Memory is bounded whatever callers send."""
    policies = compiled(policy('request.headers["x"] == "1"'))
    first = make.facts(make.request({"headers": {"x": "first"}}))
    plan = plan_of(policies, first)
    for number in range(MOST):
        facts = make.facts(make.request({"headers": {"x": str(number)}}))
        policies.select(facts.request).decide(facts)
    assert len(plan.world.remembered) <= MOST


def test_with_one_more_than_are_kept_the_oldest_are_forgotten(make: Make) -> None:
    """And the others are not: forgetting all would make one request wait until thousands are freed."""
    policies = compiled(policy('request.headers["x"] == "1"'))
    facts = make.facts(make.request({}))
    plan, decision = plan_of(policies, facts), policies.select(facts.request).decide(facts)
    remembered = Remembered()
    for number in range(MOST + 1):
        remembered.keep(plan, (str(number),), decision)
    assert MOST / 2 < len(remembered) <= MOST
    found = [remembered.get(plan, (str(number),)) is not None for number in range(MOST + 1)]
    assert (found[0], all(found[MOST // 2 :])) == (False, True)


def test_a_plan_that_is_never_asked_the_same_stops_looking(make: Make) -> None:
    """Where every request differs, looking only costs."""
    policies = compiled(policy('request.headers["x"] == "1"'))
    for number in range(TRIAL + 1):
        facts = make.facts(make.request({"headers": {"x": str(number)}}))
        policies.select(facts.request).decide(facts)
    assert plan_of(policies, facts).memo is None


def test_a_kept_decision_tells_no_other_callers_values(make: Make) -> None:
    """What is on record as read is of this request, also what only the answer depends on: here, who may read it."""
    policies = compiled(policy('request.method == "GET"', '  cors: {origins: ["https://a.example"]}'))
    for origin in ("https://a.example", "https://b.example", "https://a.example"):
        facts = make.facts(make.request({"headers": {"origin": origin}}))
        reads = policies.select(facts.request).decide(facts).reads
        assert reads is not None
        assert {read.key: read.value for read in reads.entries() if read.name == "request.headers"}["origin"] == origin


def test_new_data_is_met_by_the_next_request(make: Make) -> None:
    """L10: a reload forgets what was decided under the policies before."""
    compiler = Compiler(validators=SchemaValidators())
    facts = make.facts(make.request({"path": "/orders/1", "headers": {"x-tenant": "acme"}}), client_ip=IP)
    before = compiler.compile({"a.yaml": ORDERS.encode()})
    assert before.select(facts.request).decide(facts).effect is Effect.ALLOW
    after = compiler.compile({"a.yaml": ORDERS.replace("203.0.113.0/24", "198.51.100.0/24").encode()})
    assert after.select(facts.request).decide(facts).reason is Reason.DENY_RULE
    assert before.select(facts.request).decide(facts).effect is Effect.ALLOW


NOON = 1_795_435_200.0  # the time of these requests

ENDING = """
---
apiVersion: authz/v1
kind: Data
metadata: {name: guests}
spec: {values: [{value: mallory, until: "2026-11-23T12:00:10Z"}, {value: bob, until: "2026-11-23T12:00:20Z"}]}
"""


@given(times=st.lists(st.integers(0, 30), min_size=2, max_size=40))
def test_no_kept_decision_outlives_an_exception(make: Make, times: list[int]) -> None:
    """However often, and in whatever order, a caller asks before and after: at its end the exception is over."""
    policies = compiled(policy('request.headers["x-user"] in data.guests') + ENDING)
    for seconds in times:
        for user, end in (("mallory", 10), ("bob", 20)):
            facts = make.facts(make.request({"headers": {"x-user": user}, "time": NOON + seconds}))
            allowed = policies.select(facts.request).decide(facts).effect is Effect.ALLOW
            assert allowed == (seconds < end), (user, seconds)


def test_decisions_from_data_that_ends_are_kept_until_it_does(make: Make) -> None:
    """An exception somewhere costs no request its memo: between two ends a decision is found again."""
    policies = compiled(policy('request.headers["x-user"] in data.guests') + ENDING)
    asked = [
        make.facts(make.request({"headers": {"x-user": "bob"}, "time": NOON + seconds})) for seconds in (1, 2, 11, 12)
    ]
    assert [kept(policies, facts) for facts in asked] == [True, False, True, False]


def test_a_kept_decision_follows_the_place_and_not_the_address(make: Make) -> None:
    """A GeoIP file that is exchanged says otherwise of the same address: what was decided before does not hold then."""
    policies = compiled(policy('client.geo.country == "DE" && client.geo.asn != 64500'))
    places = [
        (Location(country="DE", asn=1), Effect.ALLOW), (Location(country="FR", asn=1), Effect.DENY),
        (Location(country="DE", asn=64500), Effect.DENY), (Location(country="DE"), Effect.DENY),
        (Location(asn=1), Effect.DENY), (None, Effect.DENY), (Location(country="DE", asn=1), Effect.ALLOW),
    ]  # fmt: skip
    for place, effect in places:
        facts = replace(make.facts(make.request({})), locate=lambda _, place=place: place)
        assert policies.select(facts.request).decide(facts).effect is effect, place
    assert not kept(policies, replace(make.facts(make.request({})), locate=lambda _: Location(country="DE", asn=1)))


RULES = {
    "data that ends": (
        ("time", "header x-user"),
        '{name: r, deny: \'request.headers[?"x-user"].orValue("") in data.guests\'}',
    ),
    "places": (("place",), "{name: r, deny: 'client.geo.country == \"FR\"'}"),
    "forms of a body": (
        ("method", "header accept"),
        "{name: r, deny: 'request.method == \"DELETE\"', body: {html: '<p>a</p>', json: {a: 1}, text: a}}",
    ),
    "redirects": (
        ("host", "query"),
        '{name: r, redirect: \'${request.query_one["to"]}\', when: request.path == "/x", allowed_hosts: [c.example]}',
    ),
    "upgrades": (("method", "header upgrade"), "{name: r, deny: request.is_upgrade}"),
    "cookies": (("header cookie",), "{name: r, allow: true, cookies: {remove: [session]}}"),
    "urls": (
        ("scheme", "host", "query", "path"),
        "{name: r, allow: true, request_headers: {set: {x-at: '${request.url}'}}}",
    ),
    "identities": (("identity", "path"), "{name: r, allow: true, metadata: {who: '${identity.subject}'}}"),
    "claims": (("identity",), '{name: r, deny: \'identity.claims[?"level"].orValue("") == "1"\'}'),
    "roles": (("identity",), "{name: r, deny: '\"admin\" in identity.roles'}"),
    "parameters": (("path",), "{name: r, allow: true, query: {set: {part: '${request.params.part}'}}}"),
    "lists": (("header x-user",), '{name: r, deny: \'request.headers_all["x-user"].exists(each, each == "bob")\'}'),
    "routes": (("extensions",), '{name: r, deny: \'route.extensions[?"tier"].orValue("") == "gold"\'}'),
    "states of bodies": (("body_state", "method"), "{name: r, deny: 'request.body_state == \"truncated\"'}"),
    "gRPC": (("header content-type", "path"), "{name: r, deny: 'request.grpc.service == \"a\"'}"),
    "hashes": (("header x-user",), '{name: r, deny: \'hash.equal(request.headers[?"x-user"].orValue(""), "bob")\'}'),
}
"""For each kind of thing that a decision, its answer or its charges can follow from: which values it is, and a rule."""

AROUND = """
apiVersion: authz/v1
kind: Policy
metadata: {name: one}
spec:
  match: [{paths: ["/**", "/{part}", "/{part}/{other}", "/y/{part}"]}]
  identity: {providers: [staff], required: false, audience: shop}
  cors: {origins: ["https://a.example"], credentials: true}
  rules: [%s, {name: else, allow: true}]
  limits: [{name: each, key: 'request.headers[?"x-user"].orValue("")', rate: 3/minute, cost: size(request.segments)}]
---
apiVersion: authz/v1
kind: Policy
metadata: {name: two}
spec:
  match: [{paths: ["/x", "/{part}/x"]}]
  identity: {providers: [partner], required: false}
  rules: [{name: known, allow: 'identity.subject != "mallory"'}]
"""

HEADERS = {
    "accept": ["text/html", "text/plain;q=0.1, */*;q=0"],
    "cookie": ["session=1", "session=1; a=b", "a=b"],
    "origin": ["https://a.example", "null"],
    "upgrade": ["websocket"],
    "content-type": ["application/grpc", "text/plain"],
    "x-user": ["bob", "mallory", "carol, bob"],
}
WORDS: dict[str, list[Any]] = {
    "method": ["GET", "DELETE", "CONNECT"],
    "path": ["/", "/x", "/y/x", "/z/x", "/a/b"],
    "query": ["", "to=https://b.example/", "to=https://c.example/", "to=/1", "to=1&to=2"],
    "host": ["b.example", "c.example", "d.example"],
    "scheme": ["http", "https"],
    "time": [NOON, NOON + 15, NOON + 25],
    "body_state": ["absent", "truncated"],
    "extensions": [{}, {"tier": "gold"}],
    "identity": [
        None, {"error": "invalid_credentials"}, {"provider": "staff", "claims": {"level": "1"}},
        {"provider": "partner", "claims": {"level": 1}}, {"provider": "staff", "subject": "bob", "roles": ["admin"]},
        {"provider": "partner", "subject": "mallory", "claims": {"level": None}},
    ],
    "place": [None, Location(country="DE"), Location(country="FR", asn=1)],
}  # fmt: skip
STEPS = [(name, value) for name, values in WORDS.items() for value in values] + [
    (f"header {name}", value) for name, values in HEADERS.items() for value in [*values, None]
]
"""Changes of a request: one value of it becomes another."""


@pytest.mark.parametrize(("names", "rule"), RULES.values(), ids=RULES)
@settings(max_examples=12)
@given(data=st.data())
def test_whatever_a_policy_reads_a_kept_decision_is_the_one_that_would_be_made(
    make: Make, names: tuple[str, ...], rule: str, data: st.DataObject
) -> None:
    """L10: all that a decision, its answer and its charges follow from is part of what it is kept under.

    A request changes step by step, in one value each, so that many differ from one that was decided in that alone.
    """
    policies = Compiler(validators=SchemaValidators(), providers=("staff", "partner")).compile(
        {"a.yaml": (AROUND % rule + ENDING).encode()}
    )
    often = st.sampled_from([step for step in STEPS if step[0] in names])
    steps = data.draw(st.lists(often | often | st.sampled_from(STEPS), min_size=20, max_size=60))
    words: dict[str, Any] = {"path": "/x"}
    headers: dict[str, str] = {}
    identity, place = None, None
    for name, value in steps:
        if name.startswith("header "):
            headers = {**headers, name[7:]: value} if value else {k: v for k, v in headers.items() if k != name[7:]}
        elif name == "identity":
            identity = value
        elif name == "place":
            place = value
        else:
            words[name] = value
        facts = replace(
            make.facts(make.request({**words, "headers": headers}), identity, IP), locate=lambda _, place=place: place
        )
        selection = policies.select(facts.request)
        decision = selection.decide(facts)
        assert replace(decision, cors=()) == selection._decide(facts)
        assert decision.cors == selection.cors(facts)
