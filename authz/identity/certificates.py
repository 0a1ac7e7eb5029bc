"""The peer's certificate as an identity: what Envoy verified and calls `source.principal`.

Envoy takes the first URI name of the certificate, else the first DNS name, else the subject. A principal that
holds anything a name can't hold is no principal (CVE-2025-66220: a NUL inside a name), and neither is one of a
trust domain that the policy does not name.

Where another proxy ends TLS before Envoy, the name is in `x-forwarded-client-cert`, and anybody can write that
header. It is read only if the policy names the networks of such proxies and the direct peer is in one of them, and only
if it holds one element: a second one would be somebody else's word.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from authz.model import Identity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from authz.model import Request

FORWARDED = "x-forwarded-client-cert"
LONGEST = 16 * 1024
"""Characters of a forwarded element: it may carry the certificate itself."""

_SPIFFE = re.compile(r"spiffe://([a-z0-9._-]{1,255})((?:/[A-Za-z0-9._-]+)+)")
_DNS = re.compile(
    r"(?=.{1,253}\Z)(?:\*\.)?[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)+"
)
_PAIR = re.compile(r'(By|Hash|Cert|Chain|Subject|URI|DNS)=("(?:[^"\\]|\\.)*"|[^",;=]*)')


class PeerCertificates:
    """Turns principals into identities. `forwarders` are the networks of proxies whose forwarded names are believed."""

    def __init__(self, provider: str, trust_domains: Collection[str], forwarders: Iterable[str] = ()) -> None:
        self._provider = provider
        self._trust_domains = frozenset(trust_domains)
        self._forwarders = tuple(map(ipaddress.ip_network, forwarders))

    def identify(self, request: Request) -> Identity | None:
        """Return who the request's peer is; `None` where there is no principal, or none of a trusted domain."""
        principal = self._principal(request)
        return Identity(authenticated=True, provider=self._provider, subject=principal) if principal else None

    def _principal(self, request: Request) -> str:
        """Return the name that counts, or nothing: the forwarded one behind a forwarder, else the direct peer's."""
        source = request.source
        if self._forwarders and self._forwards(source.ip):
            principal = forwarded(request.headers.get(FORWARDED, ""))
        else:
            principal = source.principal
        return principal if self._accepts(principal) else ""

    def _forwards(self, ip: str) -> bool:
        try:
            address = ipaddress.ip_address(ip)
        except ValueError:
            return False
        return any(address in network for network in self._forwarders)

    def _accepts(self, principal: str) -> bool:
        spiffe = _SPIFFE.fullmatch(principal)
        if spiffe is not None:
            return spiffe[1] in self._trust_domains and _plain(spiffe[2])
        return _DNS.fullmatch(principal) is not None and self._trusts(principal.lower())

    def _trusts(self, name: str) -> bool:
        return any(name == domain or name.endswith(f".{domain}") for domain in self._trust_domains)


def forwarded(header: str) -> str:
    """Return the name in one element of `x-forwarded-client-cert`: the first URI, else the first DNS name.

    The syntax is Envoy's. Nothing where there is no name, more than one element, or what Envoy would not have written.
    """
    names: dict[str, list[str]] = {"URI": [], "DNS": []}
    position = 0
    while len(header) <= LONGEST and (pair := _PAIR.match(header, position)):
        if pair[1] in names:
            names[pair[1]].append(pair[2].strip('"'))
        position = pair.end()
        if position == len(header):
            return next((name for name in (*names["URI"], *names["DNS"]) if name), "")
        if header[position] != ";":
            break
        position += 1
    return ""


def _plain(path: str) -> bool:
    """Say whether no segment of a SPIFFE path is a dot segment (SPIFFE-ID, section 2.2)."""
    return not {".", ".."} & set(path.split("/"))
