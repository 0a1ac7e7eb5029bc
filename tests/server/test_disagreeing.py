"""Disagreements in bounded memory, with nothing of a request that a record would not have."""

import pytest

from authz import wire
from authz.cli.request import Asked, message
from authz.model import ANONYMOUS, UNLIMITED, Decision, Effect, Outcome, Reason
from authz.server import disagreeing
from authz.server.comparing import Comparison, said
from authz.server.disagreeing import Table

ALLOW = Decision(effect=Effect.ALLOW, reason=Reason.ALLOWED, status=200, policy="all", rule="reads")
DENY = Decision(effect=Effect.DENY, reason=Reason.NO_RULE, status=403)


def _outcome(number: int, method: str = "GET") -> Outcome:
    asked = Asked(
        method=method, url=f"https://h/{number}?token=hidden", headers=(("cookie", "hidden"),), body=b"hidden", time=1.0
    )
    return Outcome(
        id=str(number), decision=ALLOW, request=wire.read(message(asked), now=1.0), identity=ANONYMOUS,
        usage=UNLIMITED, generation=1, policy_digest="d", started=1.0,
    )  # fmt: skip


def test_requests_of_one_kind_are_one_group_with_its_latest() -> None:
    """What happens most comes first; of each group a few requests are named."""
    table = Table(lambda: 0.0)
    table.add(Comparison.NEWLY_DENIED, _outcome(0, "POST"), said(ALLOW), said(DENY))
    for number in range(1, 6):
        table.add(Comparison.NEWLY_DENIED, _outcome(number), said(ALLOW), said(DENY))
    shown = table.shown()
    most, least = shown["groups"]  # type: ignore[misc]
    assert (most["method"], most["count"], least["method"], least["count"]) == ("GET", 5, "POST", 1)
    assert [example["path"] for example in most["examples"]] == ["/5", "/4", "/3"]
    assert "hidden" not in str(shown)


def test_groups_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever invents methods fills the table and nothing else (row L9)."""
    monkeypatch.setattr(disagreeing, "MOST_GROUPS", 2)
    table = Table()
    for number, method in enumerate(["A", "B", "C", "D", "A"]):
        table.add(Comparison.CHANGED, _outcome(number, method), said(ALLOW), said(DENY))
    shown = table.shown()
    assert [(group["method"], group["count"]) for group in shown["groups"]] == [("A", 2), ("B", 1)]  # type: ignore[attr-defined]
    assert shown["others"] == 2
