"""Rules asked together say what they say one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from authz.content import SchemaValidators
from authz.model import Reason
from authz.policy import Compiler, PolicySet
from authz.policy.deciding import ballot, evaluation

TABLES = sorted((Path(__file__).parents[1] / "decisions").glob("*.yaml"))


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """Put rules together at the first use of a plan; return what was put together, or could not be."""
    made: list[object] = []

    def kept(plan: Any) -> object:
        made.append(ballot.ballot(plan))
        return made[-1]

    monkeypatch.setattr(evaluation, "AFTER", 1)
    monkeypatch.setattr(evaluation, "ballot", kept)
    return made


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_every_case_is_decided_the_same(path: Path, monkeypatch: pytest.MonkeyPatch, make: Any) -> None:
    """The decision tables come out the same, rules asked together or one by one."""
    table = yaml.safe_load(path.read_text())
    files = {name: text.encode() for name, text in {"p.yaml": table["documents"], **table.get("files", {})}.items()}
    compiler = Compiler(validators=SchemaValidators(), providers=("staff", "partner"))
    together = compiler.compile(files)
    for case in table["cases"]:
        facts = make.facts(make.request(case["request"]), case.get("identity"), case.get("client_ip", "203.0.113.9"))
        monkeypatch.setattr(evaluation, "AFTER", 1)
        answers = [together.select(facts.request).decide(facts) for _ in range(2)]
        monkeypatch.setattr(evaluation, "AFTER", 0)
        assert answers == [compiler.compile(files).select(facts.request).decide(facts)] * 2, case["name"]


RULES = """
  rules:
    - {name: d1, deny: 'request.path == "/denied"'}
    - {name: d2, when: request.method == "POST", deny: 'request.headers["x"] == "y"'}
    - {name: r, redirect: /new, when: 'request.path == "/old"'}
    - {name: a1, allow: variables.inside}
    - {name: a2, allow: 'request.headers["x-role"] == "admin"'}
    - {name: s, deny: 'request.path == "/shadow"', mode: shadow}
"""
DOCUMENT = """
apiVersion: authz/v1
kind: Policy
metadata: {name: p}
spec:
  match: [{paths: ["/**"]}]
  variables: {ip: client.ip, inside: 'variables.ip == "203.0.113.9" // ours'}
"""


@pytest.fixture
def decide(at_once: list[object], serve: Callable[..., PolicySet], make: Any) -> Callable[..., Any]:
    """Return a function from a request to its decision by `DOCUMENT`."""
    policies = serve(DOCUMENT + RULES)

    def decide(ip: str = "203.0.113.9", **words: Any) -> Any:
        facts = make.facts(make.request(words), None, ip)
        return policies.select(facts.request).decide(facts)

    decide(path="/")
    assert len(at_once) == 1
    assert at_once[0] is not None
    return decide


def test_a_rule_that_is_reached_and_holds_settles_it(decide: Callable[..., Any]) -> None:
    """Deny comes before redirect, redirect before allow, and one allow rule that holds is enough."""
    assert decide(path="/denied").rule == "d1"
    assert decide(path="/x", method="POST", headers={"x": "y"}).rule == "d2"
    assert decide(path="/old").location == "/new"
    assert decide(path="/x").rule == "a1"
    assert decide(path="/x", ip="192.0.2.1", headers={"x-role": "admin"}).rule == "a2"
    assert decide(path="/x", ip="192.0.2.1", headers={"x-role": "user"}).reason is Reason.NO_RULE


def test_an_error_is_told_by_the_rule_that_has_it(decide: Callable[..., Any]) -> None:
    """Where the one question has no value, the rules are asked one by one."""
    denied = decide(path="/x", method="POST")
    assert (denied.reason, denied.rule) == (Reason.RULE_ERROR, "d2")
    unsure = decide(path="/x", ip="192.0.2.1")
    assert (unsure.reason, [error.rule for error in unsure.errors]) == (Reason.NO_RULE, ["p/a2"])


def test_rules_in_shadow_are_asked_by_themselves(decide: Callable[..., Any]) -> None:
    """A rule that the question leaves out is not taken for one that does not hold."""
    assert [trace.outcome for trace in decide(path="/shadow").documents] == ["allow", "would_deny"]


@pytest.mark.parametrize(
    "rules",
    [
        "[{name: a, allow: 'request.segments.exists(request, variables.ip == request)'}, {name: b, allow: true}]",
        '[{name: a, allow: \'cel.bind(client, {"ip": "x"}, variables.inside)\'}, {name: b, allow: true}]',
        "[{name: a, allow: 'optional.of(1).optMap(client, variables.inside).orValue(false)'}, {name: b, allow: true}]",
        (
            "[{name: a, allow: 'optional.of(1).optFlatMap(x, optional.of(client.ip == variables.ip)).value()'}, "
            "{name: b, allow: true}]"
        ),
        "[{name: a, allow: 'request.json == 1'}, {name: b, allow: true}]",
        "[{name: a, allow: true}]",
        "[" + ", ".join(f"{{name: a{number or ''}, allow: true}}" for number in range(ballot.MOST_RULES + 1)) + "]",
        "[{name: a, allow: 'request.path != \"" + "x" * ballot.MOST_TEXT + "\"'}, {name: b, allow: true}]",
    ],
    ids=[
        "variable in a comprehension",
        "in bind",
        "in optMap",
        "in optFlatMap",
        "body",
        "one rule",
        "many rules",
        "much text",
    ],
)
def test_what_cannot_be_put_together_is_not(
    rules: str, at_once: list[object], serve: Callable[..., PolicySet], make: Any
) -> None:
    """Some rules are asked one by one for good; they decide as ever."""
    policies = serve(DOCUMENT + f"\n  rules: {rules}")
    facts = make.facts(make.request({"path": "/203.0.113.9", "json": 1}))
    assert [policies.select(facts.request).decide(facts).rule for _ in range(3)] == ["a"] * 3
    assert at_once == [None]


def test_a_name_that_a_macro_gives_is_not_a_variables(serve: Callable[..., PolicySet], make: Any) -> None:
    """A variable means what it says where it is defined, also inside a macro that gives a name of it to something else.

    However often it was asked: written out there, it would deny from the 500th request on what it allowed until then.
    """
    rule = 'optional.of({"ip": "192.0.2.1"}).optMap(client, variables.inside).orValue(false)'
    policies = serve(DOCUMENT + f"\n  rules: [{{name: a, allow: '{rule}'}}, {{name: d, deny: 'client.ip == \"\"'}}]")
    facts = make.facts(make.request({"method": "GET"}))
    selection = policies.select(facts.request)
    assert {selection._decide(facts).reason for _ in range(evaluation.AFTER + 1)} == {Reason.ALLOWED}


def test_every_rule_that_changes_something_has_its_say(
    at_once: list[object], serve: Callable[..., PolicySet], make: Any
) -> None:
    """An allow rule that holds spares the next one only where that adds nothing to the answer."""
    first = """{name: a, allow: 'request.method == "GET"', request_headers: {set: {x-a: "1"}}}"""
    second = """{name: b, allow: 'request.path == "/x"', request_headers: {set: {x-b: "1"}}}"""
    facts = make.facts(make.request({"path": "/x"}))
    decision = serve(DOCUMENT + f"\n  rules: [{first}, {second}]").select(facts.request).decide(facts)
    assert at_once != [None]
    assert [header.name for header in decision.mutations.request_headers] == ["x-a", "x-b"]
