"""The most frequent are found in bounded memory, and no count is too low."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from authz.console.denials import Denial
from authz.console.frequent import Counters


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
