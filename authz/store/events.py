"""What the store tells those who log, count and record: one frozen value for each thing that happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from authz.errors import Fault


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """New policies came into force. `at` is seconds since the epoch, `seconds` how long they took to compile."""

    generation: int
    digest: str
    commit: str = ""
    files: int
    at: float
    seconds: float


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """What the folders hold can't be served; `generation` stays in force, 0 where there is none.

    `tests_failed` says that it could be, and does not pass its tests.
    """

    faults: tuple[Fault, ...]
    generation: int
    tests_failed: bool = False


class Unchanged(msgspec.Struct, frozen=True, kw_only=True):
    """The folders hold what is in force: after a reload that was asked for, or when a refused state was undone."""

    generation: int


class Pinned(msgspec.Struct, frozen=True, kw_only=True):
    """These paths are mounted in a way that no update will ever reach."""

    paths: tuple[str, ...]


StoreEvent = Loaded | Refused | Unchanged | Pinned
