"""Which outcomes are recorded, where not all are."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import msgspec

from authz.model import Effect

if TYPE_CHECKING:
    from authz.model import Outcome


def in_share(identifier: str, share: float) -> bool:
    """Say whether a decision is among a share of all, 0.0 to 1.0: the same id is always in or always out."""
    return share >= 1.0 or zlib.crc32(identifier.encode()) < share * 0x1_0000_0000


class Sampling(msgspec.Struct, frozen=True, kw_only=True):
    """The share of outcomes of each effect that is recorded, 0.0 to 1.0, by their ids (`in_share`)."""

    allow: float = 1.0
    deny: float = 1.0
    redirect: float = 1.0

    def keeps(self, outcome: Outcome) -> bool:
        """Say whether this outcome is in the sample."""
        share = self.deny
        if outcome.decision.effect in {Effect.ALLOW, Effect.ANSWER}:
            share = self.allow
        elif outcome.decision.effect is Effect.REDIRECT:
            share = self.redirect
        return in_share(outcome.id, share)
