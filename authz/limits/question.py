"""What Redis is asked for one plan: the script's keys and arguments, and the command as it travels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hiredis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authz.limits.asks import Ask

Words = tuple[str | int, ...]

pack: Any = hiredis.pack_command  # its stub allows a single argument


class Question:
    """The keys of the asks, and what the script is told of each."""

    __slots__ = ("_asked", "_packed", "arguments", "keys")

    def __init__(self, asks: Sequence[Ask]) -> None:
        arguments: list[str | int] = []
        for ask in asks:
            arguments += ask.meter.arguments
            arguments.append(ask.charge.cost)
        self.keys: Words = tuple([ask.key for ask in asks])
        self.arguments: Words = tuple(arguments)
        self._asked: tuple[str, str | int] | None = None
        self._packed = b""

    def command(self, sha: str, count: str | int) -> Words:
        """Return the call of the script; `count` is how many charge, behind a verb where it has one."""
        return ("EVALSHA", sha, len(self.keys), *self.keys, count, *self.arguments)

    def packed(self, sha: str, count: str | int) -> bytes:
        """Return the command as it travels: as it was written before, where it was the same."""
        asked = sha, count
        if asked != self._asked:
            self._packed, self._asked = pack(self.command(sha, count)), asked
        return self._packed
