"""One record as it is read back: the fields that a decision can be made again from, and what they say at once.

Lines that are no decisions of policies (`decided`) have nothing to be made again: what was malformed, late or cancelled
was never decided by them. What a line says of its request is read out of it in `recalling`; files are in `records`.
"""

from __future__ import annotations

import msgspec

from authz.model import Reason

_LIMITED = frozenset({Reason.RATE_LIMITED, Reason.LIMITER_DEGRADED})
"""Reasons of limits: where documents were asked, they had allowed."""

_UNDECIDED = frozenset(
    {
        Reason.MALFORMED, Reason.OVERLOADED, Reason.UNRECORDED, Reason.DEADLINE, Reason.CANCELLED,
        Reason.INTERNAL_ERROR, Reason.PREFLIGHT,
    }
)  # fmt: skip


class RequestLine(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The request of a record."""

    id: str = ""
    method: str = ""
    host: str = ""
    path: str = ""
    query_keys: list[str] = []
    route: str = ""
    headers: dict[str, str] = {}


class IdentityLine(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The identity of a record."""

    provider: str = ""
    subject: str = ""
    issuer: str = ""
    key_id: str = ""


class Line(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One record, as far as a decision can be made again from it; `reads` are left in their written form."""

    format: str
    id: str = ""
    time: str = ""
    decision: str = ""
    reason: str = ""
    status: int = 0
    policy: str | None = None
    rule: str | None = None
    documents: list[msgspec.Raw] = []
    limits: list[msgspec.Raw] = []
    request: RequestLine | None = None
    source: str = ""
    principal: str = ""
    client: str = ""
    identity: IdentityLine = IdentityLine()
    reads: dict[str, msgspec.Raw] = {}
    policy_digest: str = ""
    generation: int = 0

    @property
    def decided(self) -> bool:
        """Return whether policies made this decision."""
        if self.request is None or self.reason in _UNDECIDED or not self.format.startswith("authz.record/"):
            return False
        return bool(self.documents) or self.reason not in _LIMITED

    @property
    def effect(self) -> str:
        """Return what the policies said: a limit that was exhausted came after they had allowed."""
        return "allow" if self.reason in _LIMITED else self.decision
