"""What tests have not shown of policies, counted where decisions are made."""

from __future__ import annotations

from authz.server.deciding import compiler
from authz.testing import Coverage, Recorder, Surroundings, read_suites, run
from authz.testing.coverage import merged

POLICY = """
apiVersion: authz/v1
kind: Policy
metadata: {name: p}
spec:
  match: [{paths: ["/**"]}]
  variables:
    internal: client.ip == "10.0.0.1" || client.ip == "10.0.0.2"
    agent: request.headers[?"user-agent"].orValue("")
  validate:
    - {name: small, when: 'request.method == "POST"', max_bytes: 3}
  rules:
    - name: closed
      deny: |
        !(request.path != "/closed")
        && request.method != "HEAD"
    - {name: login, redirect: /login, when: 'request.path == "/old"'}
    - {name: always, deny: false}
    - {name: off, deny: true, mode: off}
    - {name: next, deny: 'request.method == "PUT"', mode: shadow}
    - {name: internal, allow: variables.internal}
    - {name: rest, allow: 'request.path == "/a" ? variables.agent == "curl" : true'}
  limits:
    - {name: few, when: 'request.method == "GET"', rate: 2/minute}
"""
HEAD = "apiVersion: authz/v1\nkind: PolicyTest\nmetadata: {name: t}\nspec:\n  requests:\n"
REQUESTS = """
    a: {url: "https://x/a"}
    b: {url: "https://x/b"}
    curl: {url: "https://x/a", headers: {user-agent: curl}}
    first: {url: "https://x/a", ip: 10.0.0.1}
    second: {url: "https://x/a", ip: 10.0.0.2}
    closed: {url: "https://x/closed"}
    head: {url: "https://x/closed", method: HEAD}
    old: {url: "https://x/old"}
    put: {url: "https://x/b", method: PUT}
    post: {url: "https://x/b", method: POST, body: abcd}
    little: {url: "https://x/b", method: POST, body: abc}
"""


def covered(*cases: str) -> Coverage:
    """Return what tests of these cases show."""
    recorder = Recorder()
    policies = compiler("auto", watch=recorder.watch).compile({"p.yaml": POLICY.encode()})
    text = HEAD + REQUESTS + "  cases:\n" + "".join(f"    - {case}\n" for case in cases)
    results = run(read_suites({"t_test.yaml": text.encode()}), policies, around=Surroundings(observers=(recorder,)))
    assert not [result.failures for result in results if result.failures]
    return recorder.coverage()


def missing(coverage: Coverage) -> list[str]:
    """Return what is missing, by line."""
    return [f"{fault.line}:{fault.column} {fault.message}" for fault in coverage.missing()]


ALL = (
    "{name: a, request: a, expect: no_rule}",
    "{name: b, request: b, repeat: 3, expect: rate_limited}",
    "{name: curl, request: curl, expect: allow}",
    "{name: first, request: first, expect: allow}",
    "{name: second, request: second, expect: allow}",
    "{name: closed, request: closed, expect: deny_rule}",
    "{name: head, request: head, expect: allow}",
    "{name: old, request: old, expect: redirect}",
    "{name: put, request: put, expect: {decision: allow, would_deny: [p/next]}}",
    "{name: post, request: post, expect: body_too_large}",
    "{name: little, request: little, expect: allow}",
)


def test_what_was_shown_is_not_missing() -> None:
    """Rules held, limits were exhausted, validations refused; each part of a condition went both ways.

    A rule that can never hold is the one thing left; rules that are off are no concern of anybody.
    """
    coverage = covered(*ALL)
    assert missing(coverage) == ['18:14 rule "p/always" never held']
    assert (coverage.points, coverage.ways) == ((7, 8), (22, 22))


def test_what_was_not_shown_is_told_with_its_place() -> None:
    """Parts of conditions are pointed at, also in the second line of a block; what was never asked is said to be so."""
    told = missing(covered(ALL[0]))
    assert '16:12 rule "p/closed": "request.method != "HEAD"" is never evaluated' in told
    assert '15:11 rule "p/closed": "request.path != "/closed"" is never false' in told
    assert '8:15 variable "p/internal": "client.ip == "10.0.0.1"" is never true' in told
    assert '22:51 rule "p/rest": "variables.agent == "curl"" is never true' in told
    assert '24:14 limit "p/few" was never exhausted' in told
    assert '11:14 validation "p/small" never refused anything' in told
    assert '20:14 rule "p/next" never held' in told
    assert not any("off" in line for line in told)


def test_runs_add_up() -> None:
    """What several processes have shown is what one would have."""
    together = merged(covered(case) for case in ALL)
    assert missing(together) == missing(covered(*ALL))
    assert together.ways == (22, 22)


def test_a_change_is_looked_at_alone() -> None:
    """Only what lies on changed lines counts; where nothing changed, nothing is missing."""
    coverage = covered(ALL[0])
    assert missing(coverage.within({"p.yaml": {18}})) == ['18:14 rule "p/always" never held']
    assert coverage.within({"p.yaml": {16}}).points == (0, 1)
    assert coverage.within({}).percent == 100.0


def test_a_plan_that_is_used_often_is_still_watched() -> None:
    """Rules are put together in one question only where nobody wants to see each of them."""
    coverage = covered(
        "{name: b, steps: [{request: put, repeat: 600, expect: allow}, {request: old, expect: redirect}]}"
    )
    assert next(part for part in coverage.parts if part.name == "p/login").hits == 1
