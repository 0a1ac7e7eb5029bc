"""A principal is somebody when it is a name, and of a trust domain that is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from authz.identity.certificates import PeerCertificates, forwarded
from authz.model import Peer

if TYPE_CHECKING:
    from collections.abc import Callable

    from authz.model import Request

PEERS = PeerCertificates("mesh", ["cluster.local", "example.com"])


@pytest.mark.parametrize("principal", [
    "spiffe://cluster.local/ns/shop/sa/cart", "example.com", "pay.example.com", "*.example.com",
])  # fmt: skip
def test_a_name_of_a_trusted_domain_is_somebody(principal: str, request_with: Callable[..., Request]) -> None:
    """SPIFFE ids and DNS names, as Envoy verified them."""
    identity = PEERS.identify(request_with(principal=principal))
    assert identity is not None
    assert (identity.subject, identity.provider, identity.authenticated) == (principal, "mesh", True)


@pytest.mark.parametrize("principal", [
    "", "spiffe://evil.example/ns/shop/sa/cart", "spiffe://cluster.local", "spiffe://cluster.local/",
    "spiffe://cluster.local/ns\x00/sa", "spiffe://cluster.local/a,spiffe://cluster.local/b", "spiffe://cluster.local/a/../b",
    "spiffe://cluster.local/a//b", "SPIFFE://cluster.local/a", "spiffe://user@cluster.local/a", "spiffe://cluster.local:1/a",
    "spiffe://cluster.local/a?x", "evilexample.com", "example.com.evil.org", "CN=pay,O=example.com", "example.com\n",
    "spiffe:..cluster.local", "com", "-a.example.com", "a..example.com",
])  # fmt: skip
def test_anything_else_is_nobody(principal: str, request_with: Callable[..., Request]) -> None:
    """H11: another domain, two names in one, control characters, a name that looks like another kind of name."""
    assert PEERS.identify(request_with(principal=principal)) is None


def test_a_certificate_nobody_reads_is_not_looked_at(request_with: Callable[..., Request]) -> None:
    """H12: a hundred kilobytes of garbage where the certificate should be change nothing: the principal is Envoy's."""
    peer = Peer(ip="10.0.0.1", port=1, principal="spiffe://cluster.local/a", certificate="%ZZ" * 34_000)
    identity = PEERS.identify(request_with(source=peer))
    assert identity is not None
    assert identity.subject == "spiffe://cluster.local/a"


@pytest.mark.parametrize(("header", "name"), [
    ("By=spiffe://a/b;Hash=ab;URI=spiffe://cluster.local/x", "spiffe://cluster.local/x"),
    ('Hash=ab;Subject="CN=a;URI=spiffe://cluster.local/root,b=\\"c";URI=spiffe://cluster.local/x;DNS=example.com',
     "spiffe://cluster.local/x"),
    ("Hash=ab;DNS=a.example.com;DNS=b.example.com", "a.example.com"),
    ("URI=;DNS=a.example.com", "a.example.com"),
    ("URI=spiffe://cluster.local/x,URI=spiffe://cluster.local/y", ""),
    ("URI=spiffe://cluster.local/x;", ""), ("URI=spiffe://cluster.local/x;Other=1", ""), (" URI=x", ""),
    ('Subject="CN=a', ""), ("Hash=ab", ""), ("", ""), ("URI=" + "x" * 20_000, ""),
])  # fmt: skip
def test_a_forwarded_element_has_one_name(header: str, name: str) -> None:
    """H11: a quoted subject can't smuggle a name, a second element is somebody else's word, and no guess is made."""
    assert forwarded(header) == name
