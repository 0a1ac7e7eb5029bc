"""Who holds a credential that we know by an entry of our own, and when it is good: what keys and passwords share."""

from __future__ import annotations

import msgspec

from authz.identity.credentials import InvalidCredential
from authz.model import Identity


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """One entry. Times are seconds since the epoch."""

    id: str
    subject: str
    roles: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    not_before: float = 0.0
    expires: float | None = None
    disabled: bool = False

    def check(self, what: str, now: float) -> None:
        """Raise `InvalidCredential` where it is not good at this time; `what` says what it is."""
        if self.disabled:
            raise InvalidCredential(f"the {what} {self.id} is disabled")
        if now < self.not_before:
            raise InvalidCredential(f"the {what} {self.id} is not valid yet")
        if self.expires is not None and now >= self.expires:
            raise InvalidCredential(f"the {what} {self.id} has expired")

    def identity(self, provider: str) -> Identity:
        """Return who it is."""
        return Identity(
            authenticated=True,
            provider=provider,
            subject=self.subject,
            roles=self.roles,
            groups=self.groups,
            scopes=self.scopes,
            key_id=self.id,
            expires=self.expires,
        )
