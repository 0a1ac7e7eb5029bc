"""What is exposed, and how it is protected."""

from __future__ import annotations

import textwrap

import pytest

from authz.content import SchemaValidators
from authz.policy import Compiler, Exposure

STAFF = """\
apiVersion: authz/v1
kind: IdentityProvider
metadata: {name: staff}
spec: {peer_certificate: {trust_domains: [cluster.local]}}
"""

EVERYTHING = """\
apiVersion: authz/v1
kind: Policy
metadata: {name: everything}
spec: {match: [{paths: ["/**"]}], rules: [{name: all, allow: true}]}
"""


def policy(name: str, spec: str, kind: str = "Policy") -> str:
    """Return a document."""
    head = f"apiVersion: authz/v1\nkind: {kind}\nmetadata: {{name: {name}, annotations: {{owner: team-{name}}}}}\n"
    return head + "spec:\n" + textwrap.indent(textwrap.dedent(spec), "  ")


def exposure(*documents: str) -> Exposure:
    """Return what these documents expose."""
    files = {f"{number}.yaml": document.encode() for number, document in enumerate((STAFF, *documents))}
    return Exposure(Compiler(validators=SchemaValidators(), providers=["staff"]).compile(files).written)


def flags(*documents: str) -> list[set[str]]:
    """Return the flags of each route."""
    return [set(line.flags) for line in exposure(*documents).lines]


def test_a_route_is_one_line_per_method_with_all_that_governs_it() -> None:
    """Policies and guardrails that take all of its requests stand beside it, the owner and every part by name."""
    orders = policy(
        "orders",
        """
        match: [{hosts: [api.example.com], paths: ["/orders/{id}"], methods: [GET, POST]}]
        identity: {providers: [staff]}
        validate: [{name: small, max_bytes: 10, when: request.method == "POST"}]
        rules: [{name: readers, allow: 'request.method == "GET"', when: identity.authenticated}]
        limits: [{name: each, key: identity.subject, rate: 3/minute}]
        """,
    )
    networks = policy("networks", "rules: [{name: listed, deny: 'client.ip == \"10.0.0.1\"'}]", kind="Guardrail")
    get, post = exposure(orders, networks).lines
    assert (get.host, get.method, get.path, post.method) == ("api.example.com", "GET", "/orders/{id}", "POST")
    assert (get.policies, get.guardrails, get.providers, get.required) == (("orders",), ("networks",), ("staff",), True)
    assert [(rule.name, rule.effect, rule.when) for rule in get.rules] == [
        ("networks/listed", "deny", ""),
        ("orders/readers", "allow", "identity.authenticated"),
    ]
    assert (get.validations, get.owners, get.flags) == (("orders/small",), ("team-orders",), ())
    assert [(limit.name, limit.rate, limit.key) for limit in get.limits] == [
        ("orders/each", "3/minute", ("identity.subject",))
    ]


def test_who_proves_nothing_is_anonymous_and_what_is_not_counted_has_no_limit() -> None:
    """An unconditional allow without identity and limit has three flags; a guardrail's limit takes one away."""
    assert flags(EVERYTHING) == [{"anonymous", "allow-all", "no-limit"}]
    limits = "limits: [{name: each, key: client.ip, rate: 3/minute}]"
    assert flags(EVERYTHING, policy("calm", limits, kind="Guardrail")) == [{"anonymous", "allow-all"}]


def test_an_identity_that_may_be_left_out_is_anonymous() -> None:
    """`required: false` lets callers in who prove nothing."""
    spec = """
        match: [{paths: ["/a"]}]
        identity: {providers: [staff], required: false}
        rules: [{name: all, allow: identity.authenticated}]
        limits: [{name: each, rate: 3/minute}]
        """
    assert flags(policy("a", spec)) == [{"anonymous"}]


def test_every_policy_must_allow_so_a_narrower_one_protects() -> None:
    """A route below one that allows everything is not open: both must allow."""
    narrow = policy("a", 'match: [{paths: ["/a"]}]\nrules: [{name: gets, allow: \'request.method == "GET"\'}]')
    wide, narrowed = exposure(EVERYTHING, narrow).lines
    assert (wide.path, wide.partly, "allow-all" in wide.flags) == ("/**", ("a",), True)
    assert (narrowed.policies, "allow-all" in narrowed.flags) == (("a", "everything"), False)


@pytest.mark.parametrize(
    "spec",
    [
        'match: [{paths: ["/a"]}]\nmode: shadow\nrules: [{name: all, allow: true}]',
        'match: [{paths: ["/a"]}]\nrules: [{name: all, allow: true, mode: shadow}]',
    ],
)
def test_what_is_in_shadow_allows_nobody(spec: str) -> None:
    """A route that only a document or rule in shadow would allow is denied, and says why."""
    assert flags(policy("a", spec)) == [{"denied", "shadow"}]


def test_documents_that_are_off_expose_nothing() -> None:
    """They have no line."""
    assert exposure(policy("a", 'match: [{paths: ["/a"]}]\nmode: "off"\nrules: [{name: all, allow: true}]')).lines == ()


def test_a_request_belongs_to_its_most_specific_route() -> None:
    """An exact host goes before a wildcard, a text before a name, a method before any; nothing matches: none."""
    spec = """
        match:
          - {paths: ["/a/**"]}
          - {paths: ["/a/{id}"]}
          - {paths: ["/a/b"]}
          - {paths: ["/a/b"], methods: [GET]}
          - {paths: ["/a/**"], hosts: ["*.example.com"]}
          - {paths: ["/a/**"], hosts: [api.example.com]}
        rules: [{name: all, allow: true}]
        """
    found = exposure(policy("a", spec))

    def of(host: str, path: str, method: str) -> tuple[str, str, str] | None:
        line = found.of(host, path, method)
        return None if line is None else (line.host, line.path, line.method)

    assert of("h", "/a/b", "GET") == ("", "/a/b", "GET")
    assert of("h", "/a/b", "PUT") == ("", "/a/b", "")
    assert of("h", "/a/c", "GET") == ("", "/a/{id}", "")
    assert of("h", "/a/c/d", "GET") == ("", "/a/**", "")
    assert of("x.example.com", "/a/b", "GET") == ("*.example.com", "/a/**", "")
    assert of("api.example.com", "/a/b", "GET") == ("api.example.com", "/a/**", "")
    assert of("h", "/b", "GET") is None


def test_templates_that_differ_in_names_are_one_route() -> None:
    """`/a/{id}` and `/a/{key}` take the same requests."""
    documents = [policy(name, f'match: [{{paths: ["/a/{{{name}}}"]}}]') for name in ("id", "key")]
    (line,) = exposure(*documents).lines
    assert line.policies == ("id", "key")


@pytest.mark.parametrize(
    ("rate", "shown"),
    [
        ("3/minute", "3/minute"),
        ("{requests: 100, per: 90s}", "100/90s"),
        ("5/day, align: day, algorithm: fixed-window", "5/day"),
    ],
)
def test_rates_are_shown_as_they_are_written(rate: str, shown: str) -> None:
    """A calendar's window is named by the calendar."""
    spec = f'match: [{{paths: ["/a"]}}]\nlimits: [{{name: each, rate: {rate}}}]'
    assert exposure(policy("a", spec)).lines[0].limits[0].rate == shown
