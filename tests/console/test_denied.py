"""Denials are counted by who causes them and by what denies."""

from __future__ import annotations

from authz.console.denied import LONGEST, Denied
from authz.model import Identity, Outcome
from tests.console.conftest import ALLOWED, DENIED, outcome


def test_denials_are_counted_by_caller_and_rule() -> None:
    """A subject where there is one, the address behind trusted proxies otherwise; allowed requests don't count."""
    denied = Denied()
    who = Identity(authenticated=True, provider="staff", subject="alice")
    for made in (outcome(), outcome(), outcome(identity=who), outcome(decision=ALLOWED)):
        denied(made)
    total, most = denied.most()
    assert total == 3
    first, second = most
    assert (first.denial.who, first.denial.by, first.count, first.above) == ("10.0.0.1", "address", 2, 0)
    assert (second.denial.who, second.denial.by, second.denial.policy, second.denial.rule) == (
        "alice", "staff", "orders", "no-writes",
    )  # fmt: skip


def test_a_request_that_could_not_be_read_counts_too() -> None:
    """Garbage comes from somebody unknown."""
    denied = Denied()
    denied(
        Outcome(
            **{name: getattr(outcome(), name) for name in Outcome.__struct_fields__}
            | {"request": None, "client_ip": ""}
        )
    )
    assert denied.most()[1][0].denial.who == ""


def test_a_flood_of_callers_takes_no_more_memory() -> None:
    """O5: ten thousand addresses with long names leave as many entries as are kept."""
    denied = Denied(kept=16)
    for number in range(10_000):
        denied(outcome(ip=f"{number}" * LONGEST, decision=DENIED))
    total, most = denied.most(100)
    assert total == 10_000
    assert len(most) == 16
    assert all(len(one.denial.who) <= LONGEST for one in most)
