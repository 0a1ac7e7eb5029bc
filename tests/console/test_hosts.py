"""The admin port answers to addresses, private names and names of its own."""

import pytest

from authz.console.hosts import answers_to


@pytest.mark.parametrize("host", [
    "", "127.0.0.1", "127.0.0.1:9192", "[::1]:9192", "10.2.3.4", "localhost", "LOCALHOST:9192", "authz", "authz:9192",
    "authz.shop.svc", "authz.shop.svc.cluster.local", "authz.shop.svc.cluster.local.", "vm.zone.c.project.internal",
])  # fmt: skip
def test_an_address_or_a_private_name_is_answered_to(host: str) -> None:
    """G14: kubelets, Prometheus and people with a port forwarded ask by these; no public DNS points them anywhere."""
    assert answers_to(host)


@pytest.mark.parametrize("host", [
    "evil.example.com", "evil.example.com.", "1.2.3.4.nip.io", "127.0.0.1.evil.com", "localhost.evil.com",
    "svc.evil.com", "authz.shop", "127.0.0.1@evil.com", "evil.com@127.0.0.1", "[::1].evil.com", "evil.com:0",
    "127.0.0.1, evil.com", "a b", "x\u00e9.evil.com", "a" * 300,
])  # fmt: skip
def test_a_public_name_or_none_at_all_is_not(host: str) -> None:
    """G14: anybody can have a public name point at this port, and what is no host may be read as any."""
    assert not answers_to(host)


def test_our_own_names_are_answered_to() -> None:
    """A name stands for itself, `*.` for all below it and not for that; neither port nor letter case is part of it."""
    ours = ["authz.example.com", "*.prod.example.com"]
    for host in ("authz.example.com", "Authz.Example.COM:9192", "a-1.prod.example.com", "x.y.prod.example.com"):
        assert answers_to(host, ours)
    for host in ("prod.example.com", "evilprod.example.com", "x.authz.example.com", "example.com"):
        assert not answers_to(host, ours)
