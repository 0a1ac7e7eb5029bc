"""The same tests through a real Envoy: real sockets, real tokens, and what callers and upstreams really see."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator

import pytest

from authz.cli.testing.edge import Edge
from authz.policy import PolicySet
from authz.server.deciding import compiler
from authz.testing import Result, Surroundings, read_suites, run
from authz.testing.signing import RunKeys
from tests.testing.conftest import HEAD, KEYS, POLICIES, USERS

Tried = Callable[[str], tuple[Result, ...]]


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """Return an Envoy that is shared by the tests of this file."""
    edge = Edge(tmp_path_factory.mktemp("edge"))
    edge.start()
    yield edge
    edge.stop()


@pytest.fixture(scope="module")
def policies() -> PolicySet:
    """Return policies with a provider of every kind."""
    return compiler("auto").compile(
        {"p.yaml": POLICIES.encode(), "keys.yaml": KEYS.encode(), "users.yaml": USERS.encode()}
    )


@pytest.fixture
def tried(edge: Edge, policies: PolicySet) -> Tried:
    """Run tests given as the rest of a spec, through Envoy."""

    def tried_(text: str) -> tuple[Result, ...]:
        content = HEAD + textwrap.indent(textwrap.dedent(text), "  ")
        around = Surroundings(exchange=edge.exchange, signer=RunKeys())
        return run(read_suites({"t_test.yaml": content.encode()}), policies, around=around)

    return tried_


def differences(results: tuple[Result, ...]) -> list[str]:
    """Return what is not as expected, and what was skipped."""
    differs = [one for result in results for finding in result.failures for one in finding.differences]
    told = [f"{one.key}: {one.expected} != {one.actual}" for one in differs]
    return [*told, *(f"{result.name}: {result.why}" for result in results if result.why)]


def test_callers_counts_and_the_clock_are_those_of_the_test(tried: Tried) -> None:
    """Tokens signed for the run are verified, keys are known, and three orders take five seconds that nobody waits."""
    assert not differences(
        tried("""
            cases:
              - name: waits
                request: place
                as: alice
                repeat: 3
                every: 5s
                expect: {status: 429, limit: orders/per-subject, retry_after: 50s}
              - {name: outage, request: place, as: alice, faults: {redis: down}, expect: {status: 503}}
              - {name: issuer, request: read, as: alice, faults: {jwks: down}, expect: {status: 503}}
            matrix:
              - requests: [read, drop, open]
                expect:
                  alice: [allow, 403, 200]
                  acme: [allow, deny_rule, allow]
                  olga: [allow, deny_rule, allow]
                  old: [401, 401, allow]
                  late: [401, 401, allow]
                  mallory: [401, 401, allow]
                  nobody: [unauthenticated, 401, allow]
        """)
    )


def test_what_the_upstream_and_the_caller_see_is_compared(tried: Tried) -> None:
    """Headers and query are looked at where they arrive, the answer where the caller gets it."""
    assert not differences(
        tried("""
            cases:
              - name: allow
                request: read
                as: root
                expect:
                  request_headers: {x-subject: root, x-tenant: acme, authorization: []}
                  removed_headers: [authorization]
                  response_headers: {cache-control: private}
                  query: {by: root}
                  removed_query: [debug]
              - name: deny
                request: drop
                as: root
                expect:
                  json: {detail: Orders are cancelled.}
                  response_headers: {content-type: application/problem+json}
        """)
    )
    assert differences(
        tried("cases: [{name: x, request: read, as: root, expect: {request_headers: {x-subject: alice}}}]")
    ) == ["request_headers.x-subject: alice != root"]


def test_peers_and_schemes_are_those_of_the_test(edge: Edge) -> None:
    """Envoy sees the address a test gives its caller, of either version, and the scheme of its URL."""
    policy = """
        apiVersion: authz/v1
        kind: Policy
        metadata: {name: p}
        spec:
          match: [{paths: ["/**"]}]
          rules:
            - name: seen
              allow: request.method != ""
              request_headers: {set: {x-seen: "${client.ip} ${request.scheme} ${request.host} ${request.time}"}}
    """
    content = """
        apiVersion: authz/v1
        kind: PolicyTest
        metadata: {name: t}
        spec:
          now: 2020-02-02T02:02:02Z
          cases:
            - name: four
              request: {url: "http://a.example.com/", ip: 203.0.113.9}
              expect: {request_headers: {x-seen: "203.0.113.9 http a.example.com 2020-02-02T02:02:02Z"}}
            - name: six
              request: {url: "https://a.example.com/", ip: "2001:db8::1", method: OPTIONS}
              expect: {request_headers: {x-seen: "2001:db8::1 https a.example.com 2020-02-02T02:02:02Z"}}
    """
    policies = compiler("auto").compile({"p.yaml": textwrap.dedent(policy).encode()})
    suites = read_suites({"t_test.yaml": textwrap.dedent(content).encode()})
    assert not differences(run(suites, policies, around=Surroundings(exchange=edge.exchange)))


def test_what_cannot_be_put_to_envoy_is_skipped_with_the_reason(tried: Tried) -> None:
    """Nothing is green that was not asked: what Envoy refuses itself is not the policies' answer."""
    told = differences(
        tried("""
            cases:
              - {name: cert, request: read, as: robot, expect: allow}
              - {name: metadata, request: read, as: edgar, expect: allow}
              - {name: route, request: {like: open, context_extensions: {a: b}}, expect: allow}
              - {name: http2, request: {like: open, protocol: HTTP/2}, expect: allow}
              - {name: half, request: {like: place, body_state: truncated}, expect: deny}
              - {name: nowhere, request: {like: open, ip: nowhere}, expect: deny}
              - {name: slash, request: {like: open, url: "https://shop.example.com/a%2Fb"}, expect: deny}
        """)
    )
    assert told == [
        "cert: a principal needs a certificate, and this Envoy speaks without TLS",
        "metadata: the metadata would have to come from filters that this Envoy does not have",
        "route: context extensions belong to a route, and this Envoy has one route",
        "http2: this Envoy is spoken to in HTTP/1.1, not HTTP/2",
        "half: a body that is truncated cannot be sent",
        "nowhere: no peer has the address 'nowhere'",
        "slash: Envoy answered 400 itself and did not ask",
    ]
