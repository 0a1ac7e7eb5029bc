"""Going through what there may be much of, beside somebody who must not wait: with a pause now and then.

What a pause is, is the caller's business; whoever has nobody to keep waiting passes one that does nothing.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")

LOOKING = 256
"""Items that are looked at between two pauses."""

MAKING = 32
"""Items of which something is made between two pauses."""

FREEING = 32
"""Items that are let go of between two pauses: each may be the last to hold on to a hundred objects."""


def paced(items: Iterable[T], pause: Callable[[], None], together: int = LOOKING) -> Iterator[T]:
    """Yield items, with a pause before each so many."""
    for number, item in enumerate(items):
        if number % together == 0:
            pause()
        yield item


def drained(items: list[T], pause: Callable[[], None]) -> Iterator[T]:
    """Yield the items of a list, with pauses, and take them out of it: what nobody else holds is freed on the way."""
    while items:
        for _ in range(min(FREEING, len(items))):
            yield items.pop()
        pause()


def let_go(items: list[object], pause: Callable[[], None]) -> None:
    """Empty a list, with pauses: what nobody else holds is freed a little at a time."""
    while items:
        del items[-FREEING:]
        pause()


def drop_oldest(kept: dict[K, V]) -> None:
    """Make room among what is kept, a little: whoever finds no room is a request, and must not free thousands."""
    for key in list(islice(kept, FREEING)):  # in one go, whoever else adds to them
        kept.pop(key, None)
