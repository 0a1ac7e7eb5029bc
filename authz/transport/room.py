"""Which calls count as work in flight: those whose message is there and that are not answered, and those it is due of.

The messages of honest calls come with their headers, so a call counts from its arrival: a burst that piles up behind
slow checks is refused as soon as it arrives. Whoever sends headers alone gets a place so, too, but only for a turn:
when everything that had arrived has been looked at and its message was not among it, a call counts no more until the
message comes. Thousands of streams without a message take nobody's place.

Shared by both transports; not locked: one thread arrives, hears and forgets. Who answers counts elsewhere.
"""

from __future__ import annotations


class Room:
    """The count of one server. `turn` is what a call keeps from its arrival to its message."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.taken = 0  # places taken since the start, less those given back here
        self.due = 0  # calls of this turn whose message has not come
        self.turn = 0

    def arrived(self) -> None:
        """Count a call whose message is due."""
        self.taken += 1
        self.due += 1

    def heard(self, turn: int) -> bool:
        """Count a call of that turn from now on as one whose message is there; whether it has counted all along."""
        if turn == self.turn:
            self.due -= 1
            return True
        self.taken += 1
        return False

    def crowded(self) -> bool:
        """Say whether calls without a message have more than half of the places: the turn should end soon."""
        return self.due > self.size >> 1

    def end_turn(self) -> None:
        """Forget the calls whose message is not among all that has arrived."""
        if self.due:
            self.taken -= self.due
            self.due = 0
            self.turn += 1
