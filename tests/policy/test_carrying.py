"""What answers carry, compiled: every hole is looked at, every fault has its place."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from authz.errors import PolicyFaults
from authz.model import Effect, HeaderMutation
from authz.policy import PolicySet

HEAD = "apiVersion: authz/v1\nkind: Policy\nmetadata: {name: p}\nspec:\n  match: [{paths: ['/**']}]\n  rules:\n"
ALLOW = "    - {name: all, allow: true}\n"


def denied(serve: Callable[..., PolicySet], make: Any, rule: str, **request: Any) -> Any:
    """Return what a policy with one deny rule decides."""
    facts = make.facts(make.request(request))
    return serve(f"{HEAD}    - {{name: r, deny: 'true', {rule}}}\n").select(facts.request).decide(facts)


def faults(serve: Callable[..., PolicySet], rule: str) -> list[tuple[str, int]]:
    """Return code and column of every fault."""
    with pytest.raises(PolicyFaults) as refused:
        serve(f"{HEAD}    - {{name: r, deny: 'true', {rule}}}\n")
    return [(str(fault.code), fault.column) for fault in refused.value.faults]


def test_every_hole_of_a_body_is_compiled(serve: Callable[..., PolicySet]) -> None:
    """Faults in html, json and text are told together, each where it stands."""
    rule = "body: {html: '${a}', json: {x: ['${b}', '${c}']}, text: '${d}'}"
    assert [code for code, _ in faults(serve, rule)] == ["AZ302"] * 4


def test_a_hole_where_escaping_is_not_enough_is_a_fault(serve: Callable[..., PolicySet]) -> None:
    """The caret stands under the hole."""
    body = "'<p>${request.path}</p><a href=\"${request.path}\">'"
    rule = f"body: {{html: {body}}}"
    start = len("    - {name: r, deny: 'true', body: {html: ")
    assert faults(serve, rule) == [("AZ207", start + body.rindex("${") + 1)]


def test_json_cannot_be_broken_out_of(serve: Callable[..., PolicySet], make: Any) -> None:
    """Whatever a caller sends is one text in it; whole expressions keep their type."""
    rule = (
        """body: {json: {a: "${request.headers['x']}", b: ["n ${request.port}", "${request.port}", 1.5, true, null]}}"""
    )
    decision = denied(serve, make, rule, headers={"x": '","admin":true,"b":"</script>'})
    assert json.loads(decision.body) == {"a": '","admin":true,"b":"</script>', "b": ["n 443", 443, 1.5, True, None]}
    assert decision.media_type == "application/json"


def test_a_body_without_a_value_is_left_out(serve: Callable[..., PolicySet], make: Any) -> None:
    """The denial stands, with the problem document in its place, and the error is on record."""
    decision = denied(serve, make, "body: {json: {a: \"${request.headers['x']}\"}}")
    assert (decision.effect, decision.body, len(decision.errors)) == (Effect.DENY, None, 1)


@pytest.mark.parametrize(
    ("cookie", "written"),
    [
        ("{value: v}", "c=v; Path=/; Secure; HttpOnly; SameSite=Lax"),
        ("{value: v, secure: false, http_only: false}", "c=v; Path=/; SameSite=Lax"),
        (
            "{value: v, max_age: 0s, path: /a, domain: example.com, same_site: None}",
            "c=v; Path=/a; Max-Age=0; Domain=example.com; Secure; HttpOnly; SameSite=None",
        ),
        ("{value: \"${request.headers['x']}\"}", "c=a.b; Path=/; Secure; HttpOnly; SameSite=Lax"),
    ],
)
def test_a_cookie_is_written_out(cookie: str, written: str, serve: Callable[..., PolicySet], make: Any) -> None:
    """A line of its own for each; also on an answer that denies."""
    decision = denied(serve, make, f"cookies: {{set: {{c: {cookie}}}}}", headers={"x": "a.b"})
    assert decision.mutations.response_headers == (HeaderMutation(name="set-cookie", value=written, append=True),)


@pytest.mark.parametrize("value", ["a; Domain=evil.test", "a,b", 'a"b', "a b", "a\\b", "é", "a\r\nb"])
def test_a_cookies_value_adds_no_attribute(value: str, serve: Callable[..., PolicySet], make: Any) -> None:
    """E6: what would end the value is an error, and the cookie is not set."""
    decision = denied(serve, make, """cookies: {set: {c: {value: "${request.headers['x']}"}}}""", headers={"x": value})
    assert (decision.mutations.response_headers, len(decision.errors)) == ((), 1)


@pytest.mark.parametrize(
    ("cookie", "written", "removed"),
    [
        ("a=1; s=2", [("cookie", "a=1")], ()),
        ("s=2", [], ("cookie",)),
        ("a=1", [("cookie", "a=1")], ()),
        (None, [], ("cookie",)),
    ],
)
def test_a_cookie_goes_no_further(
    cookie: str | None,
    written: list[tuple[str, str]],
    removed: tuple[str, ...],
    serve: Callable[..., PolicySet],
    make: Any,
) -> None:
    """The rest of the header stays; without a rest there is no header; kept decisions know whose cookies they saw."""
    policies = serve(f"{HEAD}    - {{name: r, allow: true, cookies: {{remove: [s]}}}}\n")
    for headers in ({"cookie": "other=1"}, {} if cookie is None else {"cookie": cookie}):
        facts = make.facts(make.request({"headers": headers}))
        mutations = policies.select(facts.request).decide(facts).mutations
    assert [(header.name, header.value) for header in mutations.request_headers] == written
    assert mutations.request_headers_remove == removed


def test_a_cookie_header_that_is_no_text_goes_as_a_whole(serve: Callable[..., PolicySet], make: Any) -> None:
    """Nobody can tell what is in it."""
    policies = serve(f"{HEAD}    - {{name: r, allow: true, cookies: {{remove: [s]}}}}\n")
    facts = make.facts(make.request({"invalid_headers": ["cookie"]}))
    assert policies.select(facts.request).decide(facts).mutations.request_headers_remove == ("cookie",)


def test_of_two_cookies_of_one_name_the_later_rules_is_set(serve: Callable[..., PolicySet], make: Any) -> None:
    """As with headers."""
    rules = "".join(f"    - {{name: r{n}, allow: true, cookies: {{set: {{c: {{value: v{n}}}}}}}}}\n" for n in (1, 2))
    facts = make.facts(make.request({}))
    mutations = serve(HEAD + rules).select(facts.request).decide(facts).mutations
    assert [header.value.partition(";")[0] for header in mutations.response_headers] == ["c=v2"]


def test_a_kept_decision_is_for_one_accept(serve: Callable[..., PolicySet], make: Any) -> None:
    """`Accept` is part of what the decision follows from, though no expression reads it."""
    policies = serve(f"{HEAD}    - {{name: r, deny: 'true', body: {{html: a, text: b}}}}\n")
    bodies = []
    for accept in ("text/html", "text/plain", "text/html"):
        facts = make.facts(make.request({"headers": {"accept": accept}}))
        bodies.append(policies.select(facts.request).decide(facts).body)
    assert bodies == ["a", "b", "a"]
