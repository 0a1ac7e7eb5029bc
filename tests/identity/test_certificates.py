"""A principal is somebody when it is a name, and of a trust domain that is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from authz.identity.certificates import PeerCertificates

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
