"""Requests and templates are cut and decoded alike."""

from __future__ import annotations

import string
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz import paths
from authz.errors import Refusal
from authz.model import Effect
from authz.policy import PolicySet
from authz.policy.documents import Match
from authz.policy.routing.entries import PathTemplate, Route
from authz.policy.routing.routes import EVERYTHING, routes, segments, template
from authz.policy.source import Text


@pytest.mark.parametrize(
    ("path", "cut"),
    [
        ("/", ()),
        ("/a", ("a",)),
        ("/a/", ("a",)),
        ("/a%20b/%C3%A4", ("a b", "ä")),
        ("/%2561", ("%61",)),
        ("/a%2Fb", ("a/b",)),
        ("/a+b", ("a+b",)),
    ],
)
def test_segments_are_decoded_once(path: str, cut: tuple[str, ...]) -> None:
    """Escapes are decoded once, a trailing slash adds nothing, and a plus is a plus."""
    assert segments(path) == cut


def test_templates_are_read_as_written() -> None:
    """`*` and `{name}` take one segment, `**` the rest; captures know their place; a trailing slash says nothing."""
    assert template("/v1/orders/{id}/*/") == PathTemplate(segments=("v1", "orders", None, None), captures=(("id", 2),))
    assert template("/a%20b/**") == PathTemplate(segments=("a b",), open=True)
    assert template("/**") == EVERYTHING
    assert template("/") == PathTemplate(segments=())


def test_match_is_every_combination_of_an_entry() -> None:
    """Inside an entry every key must hold, so hosts and paths multiply; no entry at all is everything."""
    text = Text
    match = Match.model_construct(
        hosts=(text("a.com"), text("*.b.com")), paths=(text("/x"), text("/y/**")), methods=(text("GET"),)
    )
    assert {(route.host, route.template.segments, route.methods) for route in routes([match])} == {
        (host, path, ("GET",)) for host in ("a.com", "*.b.com") for path in (("x",), ("y",))
    }
    assert routes([]) == (Route(template=EVERYTHING),)


@given(st.lists(st.text(alphabet=string.printable + "äЖ", min_size=1, max_size=6), min_size=1, max_size=3))
def test_what_matches_still_matches_in_canonical_form(written: list[str]) -> None:
    """P11: a canonical path is its own canonical form, and is cut into the same segments."""
    raw = "/" + "/".join("".join(f"%{byte:02x}" for byte in part.encode()) for part in written)
    try:
        canonical = paths.canonical(raw).path
    except Refusal:
        return
    again = paths.canonical(canonical).path
    assert segments(again) == segments(canonical)
    kept = [part for part in written if part not in {".", ".."} and "/" not in part and "\\" not in part]
    if kept == written and ";" not in "".join(written):
        assert segments(canonical) == tuple(written)


@pytest.mark.parametrize(
    "path",
    ["/admin/*", "/admin/a*b", "/admin/~x", "/admin/(x)", "/admin/x:y", "/admin/x,y", "/admin/%5Bv%5D", "/admin/**"],
)
def test_odd_characters_do_not_slip_through(path: str, serve: Callable[..., PolicySet], make: object) -> None:
    """P11: a guardrail over `/admin/**` and a capture see every odd but legal segment, decoded."""
    policies = serve(
        """
{apiVersion: authz/v1, kind: Policy, metadata: {name: all}, spec: {
  match: [{paths: ["/**"]}], rules: [{name: all, allow: true}]}}
---
{apiVersion: authz/v1, kind: Guardrail, metadata: {name: admin}, spec: {
  match: [{paths: ["/admin/{what}"]}], rules: [{name: seen, deny: 'request.params.what == request.segments[1]'}]}}
"""
    )
    facts = make.facts(make.request({"path": path}))  # type: ignore[attr-defined]
    decision = policies.select(facts.request).decide(facts)
    assert (decision.effect, decision.rule) == (Effect.DENY, "seen")
