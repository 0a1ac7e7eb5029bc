"""A token of ours says what we verified, to whom it is for, and not for long."""

from __future__ import annotations

from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from msgspec.structs import replace

from authz.identity import minting
from authz.identity.minting import SHORTEST, Mint, MintRules
from authz.identity.signing import SigningKey, read_key
from authz.model import Identity

NOW = 1_790_000_000.25
RULES = MintRules(issuer="https://authz.example.com", audience="upstream", lifetime=60.0)
SIGNS = {
    algorithm: private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for algorithm, private in (
        ("ES256", ec.generate_private_key(ec.SECP256R1())), ("EdDSA", ed25519.Ed25519PrivateKey.generate()),
    )
}  # fmt: skip
ALICE = Identity(
    authenticated=True, provider="staff", subject="alice", issuer="https://login.example.com/", roles=("admin", "dev"),
    groups=("g",), scopes=("orders:read", "orders:write"), claims={"email": "alice@example.com"},
)  # fmt: skip


class Keys:
    """One key that signs, which may be exchanged; counts what it signed."""

    def __init__(self) -> None:
        self.key = read_key(SIGNS["ES256"])

    def first(self) -> SigningKey:
        return self.key


def read(token: str, audience: str = "upstream", now: float = NOW) -> dict[str, Any]:
    """Verify a token as a service behind us does: key, issuer, audience and end."""
    key = next(key for key in map(read_key, SIGNS.values()) if key.kid == jwt.get_unverified_header(token)["kid"])
    claims = jwt.decode(
        token, jwt.PyJWK(dict(key.public)), [key.algorithm], audience=audience, issuer=RULES.issuer,
        options={"verify_exp": False, "verify_iat": False, "require": ["exp", "iat", "sub"]},
    )  # fmt: skip
    if claims["exp"] <= now:
        raise jwt.ExpiredSignatureError
    return claims


def test_a_token_says_who_was_verified() -> None:
    """Subject, provider, whose word it is, roles, groups and scope; no claim that we do not vouch for."""
    assert read(Mint(RULES, Keys()).token(ALICE, (), NOW)) == {
        "iss": "https://authz.example.com", "aud": "upstream", "sub": "alice", "provider": "staff",
        "provider_issuer": "https://login.example.com/", "roles": ["admin", "dev"], "groups": ["g"],
        "scope": "orders:read orders:write", "iat": int(NOW), "exp": int(NOW) + 60,
    }  # fmt: skip
    key = Identity(authenticated=True, provider="partner", subject="acme", key_id="acme-1")
    assert read(Mint(RULES, Keys()).token(key, (), NOW)) == {
        "iss": "https://authz.example.com", "aud": "upstream", "sub": "acme", "provider": "partner",
        "key_id": "acme-1", "iat": int(NOW), "exp": int(NOW) + 60,
    }  # fmt: skip


def test_a_scope_that_is_none_becomes_no_two() -> None:
    """An issuer's list may hold a text with a space; joined with others it would grant what was not granted."""
    scopes = ("orders:read", "reports admin", "a\tb", "", 'q"', "ä")
    assert read(Mint(RULES, Keys()).token(replace(ALICE, scopes=scopes), (), NOW))["scope"] == "orders:read"
    assert "scope" not in read(Mint(RULES, Keys()).token(replace(ALICE, scopes=("reports admin",)), (), NOW))


def test_a_token_can_not_be_shown_to_somebody_else() -> None:
    """Replay: a service that is shown another's token finds another audience."""
    mint = Mint(RULES, Keys())
    for_orders = mint.token(ALICE, ("orders",), NOW)
    assert read(for_orders, "orders")["aud"] == "orders"
    with pytest.raises(jwt.InvalidAudienceError):
        read(for_orders, "upstream")
    both = mint.token(ALICE, ("orders", "stock"), NOW)
    assert read(both, "orders")["aud"] == read(both, "stock")["aud"] == ["orders", "stock"]
    assert mint.token(ALICE, (), NOW) not in {for_orders, both}


def test_a_token_serves_for_half_its_life() -> None:
    """One signature per caller and half a minute; what is given out is good for the other half at least."""
    mint = Mint(RULES, Keys())
    first = mint.token(ALICE, (), NOW)
    assert mint.token(replace(ALICE), (), NOW + 29.8) == first
    second = mint.token(ALICE, (), NOW + 30)
    assert second != first
    assert read(second)["exp"] == int(NOW) + 90
    read(first, now=NOW + 59)
    with pytest.raises(jwt.ExpiredSignatureError):
        read(first, now=NOW + 60)


def test_a_token_ends_with_the_callers_own_credential() -> None:
    """What we say of a caller is not good for longer than what they showed; a few seconds are left to use it."""
    mint = Mint(RULES, Keys())
    token = mint.token(replace(ALICE, expires=NOW + 600), (), NOW)
    assert mint.token(replace(ALICE, expires=NOW + 20), (), NOW) != token
    assert read(mint.token(replace(ALICE, expires=NOW + 20), (), NOW))["exp"] == int(NOW + 20)
    assert read(mint.token(replace(ALICE, expires=NOW - 20), (), NOW))["exp"] == int(NOW + SHORTEST)
    renewed = mint.token(replace(ALICE, expires=NOW + 500), (), NOW + 1)
    assert mint.token(replace(ALICE, expires=NOW + 900), (), NOW + 2) == renewed


@pytest.mark.parametrize("change", [
    {"subject": "mallory"}, {"provider": "guests"}, {"roles": ("admin",)}, {"groups": ()}, {"scopes": ()},
    {"issuer": "https://other.example/"}, {"key_id": "k"},
])  # fmt: skip
def test_nobody_gets_the_token_of_another(change: dict[str, Any]) -> None:
    """Whoever differs in anything that a token says has one of their own."""
    mint = Mint(RULES, Keys())
    assert mint.token(ALICE, (), NOW) != mint.token(replace(ALICE, **change), (), NOW)


def test_a_new_key_signs_at_once() -> None:
    """A key that was taken away signs nothing more, not even what it signed before."""
    keys = Keys()
    mint = Mint(RULES, keys)
    old = mint.token(ALICE, (), NOW)
    keys.key = read_key(SIGNS["EdDSA"])
    new = mint.token(ALICE, (), NOW)
    assert jwt.get_unverified_header(old)["kid"] != jwt.get_unverified_header(new)["kid"] == keys.key.kid


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood of callers costs memory for some of them."""
    monkeypatch.setattr(minting, "REMEMBERED", 3)
    mint = Mint(RULES, Keys())
    for number in range(10):
        mint.token(replace(ALICE, subject=str(number)), (), NOW)
    assert len(mint._minted) == 3


def test_any_text_is_a_subject() -> None:
    """J11: what would break a header or name two people is data inside the token."""
    for subject in ('a"\r\nx-admin: 1', "a@evil.example@corp.example", "\u202e", "\x00"):
        token = Mint(RULES, Keys()).token(replace(ALICE, subject=subject), (), NOW)
        assert token.isascii()
        assert not set(token) & set("\r\n\x00 ,")
        assert read(token)["sub"] == subject
