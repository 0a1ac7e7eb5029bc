"""Providers of callers whom we know by entries of our own: API keys by digest, users by the hash of a password."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from authz.identity.api_keys import SHORTEST_SECRET, ApiKeys, Entry, KeyUses
from authz.identity.credentials import Place
from authz.identity.inquiries import Inquiries, InquiryRules
from authz.identity.passwords import EXTRA, THREADS, Passwords, User, give_way
from authz.identity.providers import Provider
from authz.policy import Unfit, key_entries, user_entries
from authz.policy.faults import Together
from authz.server.written import REALM, challenge_of, places_of, usable

if TYPE_CHECKING:
    from authz.policy import Beside, KeyEntry, UserEntry
    from authz.policy.documents import providers as written
    from authz.server.entrusted import Entrusted

STALE = 3600.0
"""Seconds for which a user who was known stays so while no hash can be computed."""


def api_keys(name: str, spec: written.ApiKey, beside: Beside, uses: KeyUses, secrets: Entrusted) -> Provider:
    """Return the provider of callers who hold keys; raises `Unfit`."""
    entries = key_entries(*beside.raw(spec.keys))
    secret_file = spec.secret_file
    secret = b"" if secret_file is None else usable(secret_file, lambda: secrets.content(secret_file))
    keyed = next((entry for entry in entries if entry.hmac_sha256 is not None), None)
    if keyed is not None and len(secret) < SHORTEST_SECRET:
        raise Unfit(
            keyed.id.fault(
                Together.PROOF, f"an HMAC needs a secret of at least {SHORTEST_SECRET} bytes, in secret_file"
            )
        )
    known = [_entry(entry) for entry in entries]
    places, proof = places_of(spec.places), ApiKeys(name, known, secret, uses)
    return Provider(
        name=name,
        places=places,
        proof=proof,
        ids=proof.ids,
        challenge=challenge_of(places, "ApiKey"),
        holders={entry.id: entry for entry in known},
    )


def passwords(name: str, spec: written.Basic, beside: Beside) -> Provider:
    """Return the provider of callers who log in; raises `Unfit`."""
    entries = user_entries(*beside.raw(spec.users))
    users = [User(hash=str(entry.hash), **_holder(entry)) for entry in entries]
    try:
        ask = Passwords(name, users)
    except ModuleNotFoundError:
        raise Unfit(spec.users.fault(Together.PROOF, EXTRA)) from None
    # A finding is true for as long as the file is what it was: while hashes queue up, who was known goes on being it.
    rules = InquiryRules(timeout=spec.timeout, keep=spec.keep, stale=STALE, threads=THREADS)
    return Provider(
        name=name,
        places=(Place(header="authorization", scheme="Basic"),),
        inquiry=Inquiries(ask, rules, begin=give_way),
        challenge=f'Basic realm="{spec.realm or REALM}", charset="UTF-8"',
        holders={user.id: user for user in users},
    )


def _entry(written: KeyEntry) -> Entry:
    return Entry(
        sha256=None if written.sha256 is None else str(written.sha256),
        hmac_sha256=None if written.hmac_sha256 is None else str(written.hmac_sha256),
        **_holder(written),
    )


def _holder(written: KeyEntry | UserEntry) -> dict[str, Any]:
    """Return what an entry says of its holder, as the arguments of `Holder`."""
    return {
        "id": str(written.id),
        "subject": str(written.subject or written.id),
        "roles": tuple(map(str, written.roles)),
        "groups": tuple(map(str, written.groups)),
        "scopes": tuple(map(str, written.scopes)),
        "not_before": written.not_before or 0.0,
        "expires": written.expires,
        "disabled": written.disabled,
    }
