"""Plans: as few scopes as there can be, no more names than are read, each document in its place."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import pytest

from authz.policy import PolicySet


def policy(name: str, path: str, condition: str, extra: str = "") -> str:
    """Return a policy with one allow rule."""
    return f"""\
---
apiVersion: authz/v1
kind: Policy
metadata: {{name: {name}}}
spec:
  match: [{{paths: ["{path}"]}}]
  rules: [{{name: r, allow: '{condition}'}}]
  {extra}
"""


X, Y = 'request.params.x == "y"', 'request.params.y == "y"'
STAFF, MESH = "identity: {providers: [staff]}", "identity: {providers: [mesh]}"


@pytest.mark.parametrize(
    ("first", "second", "scopes"),
    [
        (("/**", "true"), ("/{x}", "true"), 1),
        (("/**", "true"), ("/{x}", X), 1),
        (("/{y}", Y), ("/{x}", X), 2),
        (("/{x}", X), ("/{x}", X), 1),
        (("/**", "variables.a", "variables: {a: true}"), ("/**", "variables.b", "variables: {b: true}"), 1),
        (("/**", "variables.a", "variables: {a: true}"), ("/**", "variables.a", "variables: {a: true}"), 2),
        (("/**", "true", STAFF), ("/**", "true"), 1),
        (("/**", "true", STAFF), ("/**", "true", STAFF), 1),
        (("/**", "true", STAFF), ("/**", "true", MESH), 2),
    ],
)
def test_documents_share_a_scope_unless_they_differ(
    first: tuple[str, ...], second: tuple[str, ...], scopes: int, serve: Callable[..., PolicySet], make: Any
) -> None:
    """What two documents read alike is bound once for both."""
    selection = serve(policy("a", *first) + policy("b", *second)).select(make.request({"path": "/y"}))
    assert len(selection._plan.scopes) == scopes


def test_only_what_is_read_is_bound(serve: Callable[..., PolicySet], make: Any) -> None:
    """The names of a plan are those its documents read early; data comes as constants."""
    documents = policy("a", "/**", 'request.method in data.methods && request.headers["x"] == "y"') + policy(
        "b", "/b", "request.json.a == identity.subject"
    )
    data = "---\napiVersion: authz/v1\nkind: Data\nmetadata: {name: methods}\nspec: {values: [GET]}\n"
    policies = serve(documents + data)
    plan = policies.select(make.request({"path": "/x"}))._plan
    assert ([name for name, _ in plan.attributes], list(plan.data)) == (
        ["request.headers", "request.method"], ["data.methods"],
    )  # fmt: skip
    plan = policies.select(make.request({"path": "/b"}))._plan
    assert [name for name, _ in plan.attributes] == ["identity.subject", "request.headers", "request.method"]


def test_a_plan_is_made_once(serve: Callable[..., PolicySet], make: Any) -> None:
    """Requests that the same documents govern share a plan, whatever else they are."""
    policies = serve(policy("a", "/v1/{x}/**", "true"))
    first, second = (policies.select(make.request({"path": f"/v1/{x}/{x}"}))._plan for x in "ab")
    assert first is second


def test_the_garbage_collector_passes_over_the_parts_of_plans(serve: Callable[..., PolicySet], make: Any) -> None:
    """There may be thousands of plans, and requests wait while it looks."""
    plan = serve(policy("a", "/**", "true")).select(make.request({})).plan
    parts = (*plan.rules, *plan.places, *plan.scopes, *plan.policies, *plan.silent)
    assert len(parts) == 5
    assert not any(map(gc.is_tracked, parts))


def test_providers_are_asked_in_the_order_of_documents(serve: Callable[..., PolicySet], make: Any) -> None:
    """The providers of a selection are those of its enforced policies, each once."""
    documents = (
        policy("b", "/**", "true", "identity: {providers: [staff, mesh]}")
        + policy("a", "/**", "true", "identity: {providers: [mesh], required: false}")
        + policy("c", "/c", "true", "mode: shadow\n  identity: {providers: [partner]}")
    )
    policies = serve(documents)
    selection = policies.select(make.request({"path": "/c"}))
    assert (selection.providers, selection.identity_required) == (("mesh", "staff"), True)
