"""Hashes of passwords as they are written: which are strong enough to keep, and not too dear to check.

Two forms are taken: bcrypt's own (`$2b$12$...`, with the `$2y$` of htpasswd) and argon2id in the PHC string format.
What is weaker is refused where it is written: a stolen file of hashes must not be a file of passwords. What is dearer
is refused as well: every guess of a stranger costs us what the hash says. Nothing here computes one.
"""

from __future__ import annotations

import base64
import re

from authz.policy.codes import Code
from authz.policy.documents.grammar import Unfit
from authz.policy.source import Text

LONGEST_USER = 128
"""Characters of a user name."""

BCRYPT_COSTS = range(10, 15)
LEAST_MEMORY, MOST_MEMORY = 7 * 1024, 256 * 1024
"""KiB of argon2id."""

LEAST_WORK = 35 * 1024
"""KiB times passes of argon2id: the weakest of the settings that OWASP calls equal (7 MiB, five passes)."""

MOST_PASSES, MOST_LANES = 16, 16

HINT = "`authz keys password` makes an entry, `htpasswd -B -C 12` a line; the password itself never belongs here"

# The last characters carry fewer bits; what has others there is no hash that bcrypt wrote.
_BCRYPT = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{30}[.CGKOSWaeimquy26]")
_ARGON2 = re.compile(
    r"\$argon2id\$v=19\$m=(\d{1,8}),t=(\d{1,4}),p=(\d{1,3})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})"
)
_WEAK = {
    "$apr1$": "MD5 (apr1)",
    "$1$": "MD5 (crypt)",
    "{SHA}": "SHA-1",
    "{SSHA}": "salted SHA-1",
    "$5$": "SHA-256 (crypt)",
    "$6$": "SHA-512 (crypt)",
    "$argon2i$": "argon2i",
    "$argon2d$": "argon2d",
}


def password_hash(text: Text) -> Text:
    """Return the hash of a password; no fault repeats what may be the password itself."""
    reason = _unfit(text)
    if reason:
        raise Unfit(text.source.unshown(text.start, Code.PASSWORD, reason, hint=HINT))
    return text


def user_name(text: Text) -> Text:
    """Return the name of a user as HTTP Basic can carry it (RFC 7617, section 2)."""
    if not 0 < len(text) <= LONGEST_USER or ":" in text or not text.isprintable():
        hint = f"at most {LONGEST_USER} characters, without a colon"
        raise Unfit(text.source.unshown(text.start, Code.USER, "not a user name", hint=hint))
    return text


def _unfit(text: str) -> str:
    """Return why a hash is not taken, nothing where it is."""
    bcrypt, argon2 = _BCRYPT.fullmatch(text), _ARGON2.fullmatch(text)
    if bcrypt is not None:
        return _costs(int(bcrypt[1]))
    if argon2 is not None and all(map(_is_base64, argon2.groups()[3:])):
        return _works(*map(int, argon2.groups()[:3]))
    weak = next((name for prefix, name in _WEAK.items() if text.startswith(prefix)), None)
    return "expected a hash by bcrypt or argon2id" if weak is None else f"{weak} is too weak for passwords"


def _is_base64(text: str) -> bool:
    """Say whether a text is base64 without padding, and the only spelling of its bytes: the library wants no other."""
    try:
        return base64.b64encode(base64.b64decode(text + "=" * (-len(text) % 4))).decode().rstrip("=") == text
    except ValueError:
        return False


def _costs(cost: int) -> str:
    if cost in BCRYPT_COSTS:
        return ""
    way = "weak" if cost < BCRYPT_COSTS.start else "dear"
    return f"bcrypt of cost {cost} is too {way}: from {BCRYPT_COSTS.start} to {BCRYPT_COSTS.stop - 1}"


def _works(memory: int, passes: int, lanes: int) -> str:
    if memory < LEAST_MEMORY or memory * passes < LEAST_WORK:
        return f"argon2id of {memory} KiB and {passes} passes is too weak: m=19456,t=2,p=1 is enough"
    if memory > MOST_MEMORY or passes > MOST_PASSES or not 0 < lanes <= MOST_LANES:
        return f"argon2id is too dear: at most {MOST_MEMORY} KiB, {MOST_PASSES} passes, {MOST_LANES} lanes"
    return ""
