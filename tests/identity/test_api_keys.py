"""An API key is known by its digest alone."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from authz.identity.api_keys import ApiKeys, Entry
from authz.identity.credentials import InvalidCredential

NOW = 1_790_000_000.0
KEY = "k-7f3a9c"
DIGEST = hashlib.sha256(KEY.encode()).hexdigest()


def entry(**changes: object) -> Entry:
    """Return the entry of the key."""
    return Entry(**{"id": "partner-1", "subject": "partner", "sha256": DIGEST, **changes})  # type: ignore[arg-type]


def test_a_key_proves_its_holder() -> None:
    """Subject, roles and scopes come from the entry; the key's id is told, the key is not."""
    keys = ApiKeys("partner", [entry(roles=("reader",), scopes=("orders:read",), expires=NOW + 60)])
    identity = keys.verify(KEY, NOW)
    assert (identity.subject, identity.roles, identity.scopes) == ("partner", ("reader",), ("orders:read",))
    assert (identity.authenticated, identity.provider, identity.key_id) == (True, "partner", "partner-1")
    assert KEY not in repr(identity)
    assert DIGEST not in repr(identity)


@pytest.mark.parametrize("changes", [
    {"disabled": True}, {"expires": NOW}, {"expires": NOW - 1}, {"not_before": NOW + 1}, {"sha256": DIGEST[:-1] + "0"},
])  # fmt: skip
def test_a_key_out_of_force_proves_nothing(changes: dict[str, object]) -> None:
    """Disabled, expired to the second, not yet valid, or another's."""
    with pytest.raises(InvalidCredential) as refused:
        ApiKeys("partner", [entry(**changes)]).verify(KEY, NOW)
    assert KEY not in str(refused.value)


@pytest.mark.parametrize("key", ["", DIGEST, KEY + " ", KEY.upper(), "\x00", "x" * 16_000])
def test_nothing_but_the_key_is_the_key(key: str) -> None:
    """O6: what is compared is a digest, in constant time; the digest itself, another case, a blank more: nobody."""
    with pytest.raises(InvalidCredential, match="nobody"):
        ApiKeys("partner", [entry()]).verify(key, NOW)


def test_two_keys_of_one_subject_are_a_rotation() -> None:
    """Old and new both work until the old one expires."""
    new = hashlib.sha256(b"new").hexdigest()
    keys = ApiKeys("partner", [entry(expires=NOW + 60), entry(id="partner-2", sha256=new)])
    assert keys.verify(KEY, NOW).subject == keys.verify("new", NOW).subject == "partner"
    with pytest.raises(InvalidCredential, match="partner-1 has expired"):
        keys.verify(KEY, NOW + 60)


def test_a_keyed_digest_needs_the_secret() -> None:
    """With HMAC digests the file of entries alone can't be searched for weak keys."""
    digest = hmac.digest(b"pepper", KEY.encode(), "sha256").hex()
    entries = [Entry(id="partner-1", subject="partner", hmac_sha256=digest)]
    assert ApiKeys("partner", entries, b"pepper").verify(KEY, NOW).authenticated
    with pytest.raises(InvalidCredential):
        ApiKeys("partner", entries, b"salt").verify(KEY, NOW)
