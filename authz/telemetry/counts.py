"""What was counted, at one moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What was counted: by the labels that INTERFACE.md gives each, `durations` by bucket, not cumulated."""

    checks: Mapping[tuple[str, str], int]
    rules: Mapping[tuple[str, str, str, str], int]
    limits: Mapping[tuple[str, str], int]
    identities: Mapping[tuple[str, str], int]
    durations: tuple[int, ...]
    seconds: float
