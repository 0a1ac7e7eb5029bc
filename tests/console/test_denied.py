"""Who is denied most is found in bounded memory, and no count is too low."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from authz.console.denied import LONGEST, Counters, Denial, Denied
from authz.model import Identity, Outcome
from tests.console.conftest import ALLOWED, DENIED, outcome


def named(who: str) -> Denial:
    """Return a denial of somebody."""
    return Denial(who=who, by="address", reason="no_rule", policy=None, rule=None)


@given(st.lists(st.sampled_from("abcdefghij"), max_size=300), st.integers(1, 12))
def test_counts_hold_the_laws_of_space_saving(came: list[str], kept: int) -> None:
    """At most `kept` keys; true count within [count - above, count]; whoever is over n/kept is there."""
    counters, true = Counters(kept), Counter(came)
    for who in came:
        counters.add(named(who))
    found = counters.most(100)
    assert len(found) <= kept
    assert sum(count for _, count, _ in found) == len(came)
    for key, count, above in found:
        assert count - above <= true[key.who] <= count
    frequent = {who for who, count in true.items() if count > len(came) / kept}
    assert frequent <= {key.who for key, _, _ in found}
    assert [count for _, count, _ in found] == sorted((count for _, count, _ in found), reverse=True)


def test_denials_are_counted_by_caller_and_rule() -> None:
    """A subject where there is one, the address behind trusted proxies otherwise; allowed requests don't count."""
    denied = Denied(client_ip=lambda _: "198.51.100.7")
    who = Identity(authenticated=True, provider="staff", subject="alice")
    for made in (outcome(), outcome(), outcome(identity=who), outcome(decision=ALLOWED)):
        denied(made)
    total, most = denied.most()
    assert total == 3
    first, second = most
    assert (first.denial.who, first.denial.by, first.count, first.above) == ("198.51.100.7", "address", 2, 0)
    assert (second.denial.who, second.denial.by, second.denial.policy, second.denial.rule) == (
        "alice", "staff", "orders", "no-writes",
    )  # fmt: skip


def test_a_request_that_could_not_be_read_counts_too() -> None:
    """Garbage comes from somebody unknown."""
    denied = Denied()
    denied(Outcome(**{name: getattr(outcome(), name) for name in Outcome.__struct_fields__} | {"request": None}))
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
