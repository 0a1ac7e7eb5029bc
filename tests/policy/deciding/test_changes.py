"""What several rules change together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from authz.model import HeaderMutation, Mutations
from authz.policy import PolicySet


def decided(serve: Callable[..., PolicySet], make: Any, *changes: str) -> Mutations:
    """Return what an allow changes whose rules carry these changes."""
    rules = ", ".join(f"{{name: r{number}, allow: true, {change}}}" for number, change in enumerate(changes))
    policies = serve(
        "apiVersion: authz/v1\nkind: Policy\nmetadata: {name: p}\n"
        f"spec: {{match: [{{paths: ['/**']}}], rules: [{rules}]}}"
    )
    facts = make.facts(make.request({}))
    mutations: Mutations = policies.select(facts.request).decide(facts).mutations
    return mutations


SET_A, SET_B = "request_headers: {set: {x: a}}", "request_headers: {set: {x: b}}"
ADD_C, REMOVE = "request_headers: {append: {x: c}}", "request_headers: {remove: [x]}"


@pytest.mark.parametrize(
    ("changes", "written", "removed"),
    [
        ([SET_A, SET_B], ["b"], ()),
        ([SET_A, ADD_C], ["a", "+c"], ()),
        ([ADD_C, SET_A], ["a"], ()),
        ([ADD_C, ADD_C], ["+c", "+c"], ()),
        ([SET_A, REMOVE], [], ("x",)),
        ([REMOVE, SET_A], ["a"], ()),
        ([REMOVE, ADD_C], ["c"], ()),
        ([REMOVE, ADD_C, ADD_C], ["c", "+c"], ()),
        ([REMOVE, REMOVE], [], ("x",)),
    ],
)
def test_the_later_rule_wins(
    changes: list[str], written: list[str], removed: tuple[str, ...], serve: Callable[..., PolicySet], make: Any
) -> None:
    """Set replaces, append adds to what is left, remove takes away; nothing is left that contradicts itself."""
    mutations = decided(serve, make, *changes)
    assert [("+" if header.append else "") + header.value for header in mutations.request_headers] == written
    assert mutations.request_headers_remove == removed


def test_query_and_metadata_follow_the_same_rule(serve: Callable[..., PolicySet], make: Any) -> None:
    """A parameter that is set after it was removed is set; of metadata the last value stays."""
    mutations = decided(
        serve, make, "query: {remove: [a, b]}, metadata: {k: one, l: x}", "query: {set: {a: '1'}}, metadata: {k: two}"
    )
    assert (mutations.query_set, mutations.query_remove) == ((("a", "1"),), ("b",))
    assert mutations.metadata == {"k": "two", "l": "x"}


def test_answers_that_deny_carry_headers_and_metadata(serve: Callable[..., PolicySet], make: Any) -> None:
    """A deny rule writes response headers and metadata; a part without a value leaves all of it out, and denies."""
    policies = serve("""\
apiVersion: authz/v1
kind: Policy
metadata: {name: p}
spec:
  match: [{paths: ["/**"]}]
  rules:
    - name: fine
      deny: request.path == "/fine"
      response_headers: {set: {x: "${request.path}"}}
      metadata: {n: "${1 + 1}"}
    - name: broken
      deny: request.path == "/broken"
      message: "no ${request.headers['x']}"
      body: "kept"
      response_headers: {set: {x: a, y: "${request.headers['x']}"}}
""")
    for path, headers, metadata, errors, body in (
        ("/fine", (HeaderMutation(name="x", value="/fine"),), {"n": 2}, 0, None),
        ("/broken", (), {}, 2, "kept"),
    ):
        facts = make.facts(make.request({"path": path}))
        decision = policies.select(facts.request).decide(facts)
        assert (decision.reason, decision.message, decision.body) == ("deny_rule", "", body)
        assert (decision.mutations.response_headers, decision.mutations.metadata) == (headers, metadata)
        assert len(decision.errors) == errors


def test_a_header_that_some_rule_sets_is_never_the_callers(serve: Callable[..., PolicySet], make: Any) -> None:
    """H4: what is behind us believes `x-role`; where the rule that held does not write it, the request loses it."""
    policies = serve("""
apiVersion: authz/v1
kind: Policy
metadata: {name: p}
spec:
  match: [{paths: ["/**"]}]
  rules:
    - {name: admins, allow: request.method == "PUT", request_headers: {set: {x-role: admin}, append: {via: a}}}
    - {name: readers, allow: request.method == "GET", request_headers: {set: {x-reader: "1"}}}
    - {name: rest, allow: request.method == "HEAD"}
""")
    removed = {}
    for method in ("PUT", "GET", "HEAD"):
        facts = make.facts(make.request({"method": method}))
        removed[method] = policies.select(facts.request).decide(facts).mutations.request_headers_remove
    assert removed == {"PUT": ("x-reader",), "GET": ("x-role",), "HEAD": ("x-reader", "x-role")}
