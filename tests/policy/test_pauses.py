"""Much is gone through a little at a time."""

from __future__ import annotations

import weakref

from authz.policy.pauses import FREEING, LOOKING, drained, drop_oldest, let_go, paced


class Thing:
    """Something that can be seen to be freed."""


def test_all_is_looked_at_with_pauses() -> None:
    """A pause for so many items, none left out."""
    pauses: list[None] = []
    assert list(paced(range(3 * LOOKING), lambda: pauses.append(None))) == list(range(3 * LOOKING))
    assert len(pauses) == 3


def test_what_is_drained_is_freed_between_pauses() -> None:
    """At every pause as many are gone as were yielded, but for the last, which the caller may look at still."""
    things = [Thing() for _ in range(3 * FREEING + 1)]
    alive = weakref.WeakSet(things)
    number, left = len(things), []
    seen = sum(1 for _ in drained(things, lambda: left.append(len(alive))))
    assert seen == number
    assert [number - each for each in left] == [
        each - 1 for each in (FREEING, 2 * FREEING, 3 * FREEING, 3 * FREEING + 1)
    ]


def test_what_is_let_go_of_is_freed_between_pauses() -> None:
    """A few at every step, until nothing is left."""
    things: list[object] = [Thing() for _ in range(3 * FREEING + 1)]
    alive = weakref.WeakSet(things)
    left: list[int] = []
    let_go(things, lambda: left.append(len(alive)))
    assert left == [2 * FREEING + 1, FREEING + 1, 1, 0]


def test_the_oldest_make_room() -> None:
    """Those that were put in first are taken out, and no more than can be freed at once."""
    kept = dict.fromkeys(range(3 * FREEING))
    drop_oldest(kept)
    assert list(kept) == list(range(FREEING, 3 * FREEING))
    few = {1: None}
    drop_oldest(few)
    assert few == {}
