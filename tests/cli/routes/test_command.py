"""`authz routes`, as from a shell."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from authz.cli.output import Exit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

API = """\
openapi: 3.1.0
info: {title: Orders, version: "1"}
paths:
  /orders: {get: {operationId: list, responses: {"200": {description: fine}}}}
  /invoices: {get: {operationId: invoices, responses: {"200": {description: fine}}}}
"""


def test_a_program_gets_everything(run: Callable[..., Any], repository: Path, log: Path) -> None:
    """Each route with its rules, limits, tests, last change and traffic, and how much traffic was elsewhere."""
    ran = run("routes", "--policies", str(repository), "--records", str(log), "--output", "json")
    assert ran.status == 0
    found = json.loads(ran.out)
    all_, one = found["routes"]
    assert (all_["path"], all_["tests"], one["path"]) == ("/orders", [], "/orders/{id}")
    assert one["tests"] == ["orders / an order is not deleted"]
    assert one["flags"] == ["anonymous"]
    assert all_["flags"] == ["anonymous", "no-tests"]
    assert [rule["name"] for rule in one["rules"]] == ["orders/nobody-deletes", "orders/sign-in", "orders/tenants"]
    assert one["limits"] == [{"name": "orders/all", "rate": "3/minute", "key": ["client.ip"], "mode": "enforce"}]
    assert (one["last_change"]["author"], one["last_change"]["subject"]) == ("Ada", "Orders <b>")
    assert one["traffic"] == {"allow": 1, "deny": 1, "last": "2026-11-23T12:00:02.000000Z"}
    assert found["elsewhere"] == {"deny": 1}


def test_people_get_a_paragraph_per_route(run: Callable[..., Any], repository: Path) -> None:
    """The route with its flags first, then who, how often, who tests and who changed it; the count last."""
    lines = run("routes", "--policies", str(repository)).out.splitlines()
    assert "* /orders/{id}  [anonymous]" in lines
    assert "  limits      orders/all 3/minute" in lines
    assert "  tests       orders / an order is not deleted" in lines
    assert lines[-1] == "2 routes, 2 anonymous, 1 no-tests"


def test_a_description_finds_operations_that_nobody_can_call_and_routes_that_it_has_not(
    run: Callable[..., Any], repository: Path, tmp_path: Path
) -> None:
    """`--fail-on-drift` exits 5 where there is any difference, and needs a description."""
    api = tmp_path / "api.yaml"
    api.write_text(API)
    asked = ("routes", "--policies", str(repository), "--openapi", str(api))
    ran = run(*asked, "--output", "json")
    assert ran.status == 0
    assert [(each["found"], each["method"], each["path"]) for each in json.loads(ran.out)["drift"]] == [
        ("denied", "GET", "/invoices"),
        ("undescribed", "", "/orders/{id}"),
    ]
    assert run(*asked, "--fail-on-drift").status == Exit.REPLAY
    assert run("routes", "--policies", str(repository), "--fail-on-drift").status == Exit.ARGUMENTS


@pytest.mark.parametrize(
    "arguments", [("--records", "x", "--admin", "127.0.0.1:1"), ("--openapi", "/nowhere/api.yaml")]
)
def test_what_cannot_be_asked_is_said(run: Callable[..., Any], repository: Path, arguments: tuple[str, ...]) -> None:
    """Arguments that exclude each other, and a description that is not there, end with 2."""
    assert run("routes", "--policies", str(repository), *arguments).status == Exit.ARGUMENTS


def test_policies_with_faults_show_nothing(run: Callable[..., Any], broken: str) -> None:
    """Half a list would look like a whole one."""
    ran = run("routes", "--policies", broken)
    assert (ran.status, ran.out) == (Exit.POLICIES, "")
