"""What each name is bound to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from authz._pb.envoy.service.auth.v3.attribute_context_pb2 import AttributeContext
from authz.cel import VARIABLES, Environment
from authz.model import Identity
from authz.policy.attributes import ATTRIBUTES, DOUBTFUL, LATE, narrowed
from authz.policy.deciding.places import PARAMS
from authz.policy.facts import Facts, UnboundError


def test_every_name_of_the_vocabulary_is_bound() -> None:
    """No name that expressions can read is forgotten, and none is bound that they cannot read."""
    assert ATTRIBUTES.keys() | {PARAMS} == VARIABLES.keys()
    assert ATTRIBUTES.keys() >= LATE
    assert DOUBTFUL.keys() <= ATTRIBUTES.keys()


@pytest.fixture
def facts(make: Any) -> Facts:
    """Return the facts of a request that has something of everything."""
    envoy = AttributeContext()
    envoy.metadata_context.filter_metadata["envoy.filters.http.jwt_authn"].update({"sub": "alice", "n": 2})
    request = make.request(
        {
            "method": "POST", "path": "/v1/a%20b/", "query": "a=1&a=2&b=%C3%A4", "port": 8443, "extensions": {"k": "v"},
            "headers": {"x-role": 'user, "a,b" ,,admin', "date": "Mon, 23 Nov 2026 12:00:00 GMT"},
            "json": {"a": [1]}, "envoy": envoy,
        }
    )  # fmt: skip
    identity = Identity(authenticated=True, subject="alice", roles=("r",), claims={"tenant": "acme"}, expires=1e9)
    return Facts(request=request, identity=identity, body=make.facts(request).body, client_ip="203.0.113.9")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("request.segments", ("v1", "a b")),
        ("request.url", "https://api.example.com:8443/v1/a%20b/?a=1&a=2&b=%C3%A4"),
        ("request.time", datetime(2026, 11, 23, 12, tzinfo=UTC)),
        ("request.query", {"a": ["1", "2"], "b": ["ä"]}),
        ("request.query_one", {"b": "ä"}),
        ("request.json", {"a": [1]}),
        ("request.body", b'{"a":[1]}'),
        ("request.body_state", "complete"),
        ("client.ip", "203.0.113.9"),
        ("source.ip", "10.1.2.3"),
        ("route.extensions", {"k": "v"}),
        ("identity.roles", ("r",)),
        ("identity.claims", {"tenant": "acme"}),
        ("identity.expires", datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC)),
    ],
)
def test_values(name: str, value: object, facts: Facts) -> None:
    """Names have the values POLICY.md, section 4, says."""
    assert ATTRIBUTES[name](facts) == value


def test_headers_are_lists_to_those_who_ask(facts: Facts) -> None:
    """H1: a list header is split at its commas, but not inside quotes; a date has one value, comma and all."""
    headers = ATTRIBUTES["request.headers_all"](facts)
    assert isinstance(headers, dict)
    assert headers["x-role"] == ["user", '"a,b"', "admin"]
    assert headers["date"] == ["Mon, 23 Nov 2026 12:00:00 GMT"]


@pytest.mark.parametrize(
    ("value", "elements"),
    [
        ("", []),
        ("a", ["a"]),
        ('a, "b', ["a", '"b']),
        ('"a\\",b",c', ['"a\\",b"', "c"]),
        ('"a', ['"a']),
        ('user, "admin', ["user", '"admin']),
    ],
)
def test_a_quote_that_never_closes_hides_nothing(value: str, elements: list[str], make: Any) -> None:
    """H1: commas behind an unbalanced quote still separate."""
    facts = make.facts(make.request({"headers": {"x": value}}))
    headers = ATTRIBUTES["request.headers_all"](facts)
    assert isinstance(headers, dict)
    assert headers["x"] == elements


def test_hostile_headers_are_split_in_linear_time(make: Any) -> None:
    """A header of quotes and backslashes costs no more than its length."""
    facts = make.facts(make.request({"headers": {"x": '"\\' * 50_000, "y": '"' * 50_001, "z": '\\"' * 50_000}}))
    assert set(ATTRIBUTES["request.headers_all"](facts)) == {"x", "y", "z"}  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("scheme", "port", "shown"), [("https", 443, ""), ("http", 80, ""), ("http", 443, ":443"), ("https", 0, "")]
)
def test_a_url_shows_only_a_port_of_its_own(scheme: str, port: int, shown: str, make: Any) -> None:
    """The port a scheme means is left out of a URL."""
    facts = make.facts(make.request({"scheme": scheme, "port": port, "path": "/a"}))
    assert ATTRIBUTES["request.url"](facts) == f"{scheme}://api.example.com{shown}/a"


@pytest.mark.parametrize(
    ("words", "upgrade"),
    [
        ({}, False),
        ({"headers": {"upgrade": "websocket", "connection": "Upgrade"}}, True),
        ({"headers": {"upgrade": "h2c"}}, True),
        ({"method": "CONNECT"}, True),
        ({"headers": {"connection": "upgrade"}}, False),
    ],
)
def test_an_upgrade_is_known_as_one(words: dict[str, Any], upgrade: bool, make: Any) -> None:
    """B12: what follows is never asked about, so rules can tell; in doubt it is one."""
    assert ATTRIBUTES["request.is_upgrade"](make.facts(make.request(words))) is upgrade


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("request.query", {"query": "a=%zz"}),
        ("request.query_one", {"query": "a=%ff"}),
        ("request.json", {}),
        ("request.json", {"body": "{", "headers": {"content-type": "application/json"}}),
        ("request.body", {"body": "x", "body_state": "truncated"}),
        ("request.body", {"body_state": "unavailable"}),
        ("identity.expires", {}),
        ("client.geo", {}),
        ("request.is_upgrade", {"invalid_headers": ["upgrade"]}),
        ("metadata", {}),
        ("route.metadata", {}),
        ("attributes", {}),
    ],
)
def test_what_cannot_be_told_has_no_value(name: str, words: dict[str, Any], make: Any) -> None:
    """A name without a value is left unbound, so that reading it is an error."""
    with pytest.raises(UnboundError):
        ATTRIBUTES[name](make.facts(make.request(words)))


def test_metadata_reads_as_what_envoy_sent(facts: Facts) -> None:
    """H13: a namespace that was sent can be read into; one that was not is an error and not empty."""
    environment = Environment(VARIABLES)
    activation = environment.activation(
        {name: ATTRIBUTES[name](facts) for name in ("metadata", "route.metadata", "attributes")}
    )
    sent = environment.compile('metadata["envoy.filters.http.jwt_authn"].sub == "alice"')
    assert sent.holds(activation) is True
    assert environment.compile('metadata["envoy.filters.http.jwt_authn"].n == 2').holds(activation) is True
    for source in ('metadata["other"].sub == "alice"', 'route.metadata["x"].y == 1'):
        assert not isinstance(environment.compile(source).holds(activation), bool)
    assert environment.compile("attributes.request.http.method == ''").holds(activation) is True


def test_envoys_own_attributes_are_texts_in_either_encoding(make: Any) -> None:
    """H2: headers and bodies that Envoy sends as bytes are where policies from elsewhere look for them, as texts."""
    envoy = AttributeContext()
    envoy.request.http.raw_body = b"a=\xff"
    for name, value in ((":path", b"/"), ("X-Role", b"user"), ("x-role", b"admin"), ("x-name", b"J\xf6rg")):
        envoy.request.http.header_map.headers.add(key=name, raw_value=value)
    sent = envoy.SerializeToString()
    activation = Environment(VARIABLES).activation(
        {"attributes": ATTRIBUTES["attributes"](make.facts(make.request({"envoy": envoy})))}
    )

    def shown(field: str) -> object:
        return Environment(VARIABLES).compile(f"attributes.request.http.{field}").value(activation)

    assert shown("headers") == {":path": "/", "x-role": "user,admin", "x-name": "J!rg"}
    assert shown("body") == "a=!"
    assert envoy.SerializeToString() == sent


def test_only_keys_that_are_read_are_bound(facts: Facts) -> None:
    """Of a map of which single keys are read, no more is handed to the engine; a missing key stays missing."""
    some = narrowed("request.headers", frozenset({"x-role", "nope"}))
    assert some(facts) == {"x-role": facts.request.headers["x-role"]}
    assert narrowed("request.headers", None)(facts) == facts.request.headers
    assert narrowed("request.method", None)(facts) == "POST"


def test_doubtful_keys_are_named(make: Any) -> None:
    """H3: headers whose bytes are no UTF-8, and parameters that are repeated."""
    facts = make.facts(make.request({"invalid_headers": ["x-role"], "query": "a=1&a=2&b=1"}))
    assert {name: sorted(doubt(facts)) for name, doubt in DOUBTFUL.items()} == {
        "request.headers": ["x-role"], "request.headers_all": ["x-role"], "request.query_one": ["a"],
    }  # fmt: skip


def test_identity_of_nobody_is_empty(make: Any) -> None:
    """J12: anonymous callers have no subject, no roles and no claims to read."""
    facts = make.facts(make.request({}))
    anonymous = {
        name.partition(".")[2]: read(facts)
        for name, read in ATTRIBUTES.items()
        if name.startswith("identity.") and name != "identity.expires"
    }
    assert anonymous == {name: getattr(Identity(), name) for name in anonymous}
    assert msgspec.structs.asdict(facts.identity)["authenticated"] is False
