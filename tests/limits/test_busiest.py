"""Who asks most, in bounded space and without a name."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from authz.limits import busiest
from authz.limits.busiest import EVERY, MAX_LIMITS, SIZE, Busiest, Sketch
from authz.limits.memory import MemoryLimiter
from authz.limits.plan import Plan, Planner
from tests.limits.conftest import charge, limit

if TYPE_CHECKING:
    from authz.model import Charge


def plan(*charges: Charge) -> Plan:
    """Plan charges that need a store."""
    planned = Planner().plan(charges)
    assert isinstance(planned, Plan)
    return planned


@given(st.lists(st.sampled_from("abcdefghij"), max_size=300), st.integers(1, 6))
def test_a_sketch_keeps_its_promises(stream: list[str], size: int) -> None:
    """Never too low, too high by the error at most, and nobody with more than a `size`th of all is missing."""
    sketch, true = Sketch(size), Counter(stream)
    for one in stream:
        sketch.saw(one)
    top = sketch.top(size)
    assert len(top) <= size
    assert sum(count for _, count, _ in top) == len(stream)
    for text, count, error in top:
        assert count - error <= true[text] <= count
    assert {text for text, count in true.items() if count > len(stream) / size} <= {text for text, _, _ in top}
    assert [count for _, count, _ in top] == sorted((count for _, count, _ in top), reverse=True)


def test_callers_are_shown_as_digests_by_limit() -> None:
    """As the counter's key ends, with which it is found in Redis; only every `EVERY`th question is seen."""
    seen, asked = Busiest(), plan(charge(limit("o/each"), "alice"), charge(limit("o/all"), "everybody"))
    for _ in range(EVERY * 3 + EVERY - 1):
        seen.saw(asked)
    status: Any = seen.status()
    assert status["seen_one_in"] == EVERY
    assert status["limits"]["o/each"] == [{"key": asked.asks[0].key.rpartition(":")[2], "count": 3, "error": 0}]
    assert list(status["limits"]) == ["o/each", "o/all"]
    assert "alice" not in str(status)


def test_neither_callers_nor_limits_make_it_grow() -> None:
    """A flood of made-up callers turns over the least of them; limits above the bound have no sketch."""
    seen = Busiest(every=1)
    for number in range(SIZE * 5):
        seen.saw(plan(charge(limit("o/each"), f"caller-{number}")))
        seen.saw(plan(charge(limit(f"o/{number}"))))
    status: Any = seen.status()
    assert len(status["limits"]) == min(MAX_LIMITS, SIZE * 5 + 1)
    assert len(status["limits"]["o/each"]) == busiest.SHOWN


def test_a_store_shows_its_busiest() -> None:
    """Whoever asks most is first, also while refused."""
    store = MemoryLimiter()
    for number in range(700):
        caller = "busy" if number % 3 else f"other-{number}"
        store.charge([charge(limit("o/each", requests=5), caller)], time.monotonic(), lambda _: None)
    shown: Any = store.status()["busiest"]
    assert shown["limits"]["o/each"][0]["key"] == plan(charge(limit("o/each"), "busy")).asks[0].key.rpartition(":")[2]
