"""The peer's certificate as an identity: what Envoy verified and calls `source.principal`.

Envoy takes the first URI name of the certificate, else the first DNS name, else the subject. A principal that
holds anything a name can't hold is no principal (CVE-2025-66220: a NUL inside a name), and neither is one of a
trust domain that the policy does not name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from authz.model import Identity

if TYPE_CHECKING:
    from collections.abc import Collection

_SPIFFE = re.compile(r"spiffe://([a-z0-9._-]{1,255})((?:/[A-Za-z0-9._-]+)+)")
_DNS = re.compile(
    r"(?=.{1,253}\Z)(?:\*\.)?[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)+"
)


class PeerCertificates:
    """Turns principals into identities."""

    def __init__(self, provider: str, trust_domains: Collection[str]) -> None:
        self._provider = provider
        self._trust_domains = frozenset(trust_domains)

    def identify(self, principal: str) -> Identity | None:
        """Return who a principal is; `None` where there is none, or none of a trusted domain."""
        spiffe = _SPIFFE.fullmatch(principal)
        if spiffe is not None:
            return self._identity(principal) if spiffe[1] in self._trust_domains and _plain(spiffe[2]) else None
        if _DNS.fullmatch(principal) is not None and self._trusts(principal.lower()):
            return self._identity(principal)
        return None

    def _trusts(self, name: str) -> bool:
        return any(name == domain or name.endswith(f".{domain}") for domain in self._trust_domains)

    def _identity(self, principal: str) -> Identity:
        return Identity(authenticated=True, provider=self._provider, subject=principal)


def _plain(path: str) -> bool:
    """Say whether no segment of a SPIFFE path is a dot segment (SPIFFE-ID, section 2.2)."""
    return not {".", ".."} & set(path.split("/"))
