"""Only hashes that are slow to guess from are taken, and none that would be slow to check."""

from __future__ import annotations

import pytest

from authz.policy.codes import Code
from authz.policy.documents.grammar import Unfit
from authz.policy.documents.hashes import LONGEST_USER, password_hash, user_name
from authz.policy.source import Source, Text

TAIL = "PKo92Gsf8eRQSYEswZyMsuM8v0cCJQVLCvcdBQuMZiZ2pGBUXUzuG"
SALTED = "$Y8KWUYisqalYY6PcbUcOqw$fmW88Ndq5aWo13H+uu6YegK/9dvI5a18Q1lRhHWjVVU"


def text(value: str) -> Text:
    """Return a text as it would stand alone in a file."""
    made = Text.at(value, Source("users.yaml", value), 0, len(value))
    assert isinstance(made, Text)
    return made


@pytest.mark.parametrize("strong", [
    f"$2b$10${TAIL}", f"$2y$12${TAIL}", f"$2a$14${TAIL}",
    f"$argon2id$v=19$m=19456,t=2,p=1{SALTED}", f"$argon2id$v=19$m=7168,t=5,p=1{SALTED}",
    f"$argon2id$v=19$m=47104,t=1,p=1{SALTED}", f"$argon2id$v=19$m=65536,t=3,p=4{SALTED}",
])  # fmt: skip
def test_what_owasp_advises_is_taken(strong: str) -> None:
    """Each of the settings that OWASP calls equal, what the libraries make by default, and htpasswd's `$2y$`."""
    assert password_hash(text(strong)) == strong


@pytest.mark.parametrize(("refused", "reason"), [
    ("hunter2", "expected a hash"),
    ("", "expected a hash"),
    ("$apr1$abc$def", "MD5"),
    ("$1$abc$def", "MD5"),
    ("{SHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk=", "SHA-1"),
    ("{SSHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk=", "SHA-1"),
    ("$5$abc$def", "SHA-256"),
    ("$6$abc$def", "SHA-512"),
    (f"$argon2i$v=19$m=65536,t=3,p=4{SALTED}", "argon2i "),
    (f"$argon2d$v=19$m=65536,t=3,p=4{SALTED}", "argon2d "),
    (f"$argon2id$v=16$m=65536,t=3,p=4{SALTED}", "expected a hash"),
    (f"$argon2id$v=19$m=4096,t=16,p=1{SALTED}", "too weak"),
    (f"$argon2id$v=19$m=19456,t=1,p=1{SALTED}", "too weak"),
    (f"$argon2id$v=19$m=4194304,t=3,p=1{SALTED}", "too dear"),
    (f"$argon2id$v=19$m=65536,t=900,p=1{SALTED}", "too dear"),
    (f"$argon2id$v=19$m=65536,t=3,p=0{SALTED}", "too dear"),
    (f"$2b$09${TAIL}", "too weak"),
    (f"$2y$05${TAIL}", "too weak"),
    (f"$2b$31${TAIL}", "too dear"),
    (f"$2x$12${TAIL}", "expected a hash"),
    (f"$2b$12${TAIL}a", "expected a hash"),
    (f"$2b$12${'a' * 53}", "expected a hash"),
    (f"$argon2id$v=19$m=65536,t=3,p=1{SALTED[:-1]}V", "expected a hash"),
    (f"$argon2id$v=19$m=65536,t=3,p=1{SALTED[:-2]}", "expected a hash"),
    (f"$2b$12${TAIL}\n", "expected a hash"),
])  # fmt: skip
def test_what_is_weak_or_dear_is_refused_without_being_repeated(refused: str, reason: str) -> None:
    """The fault has a place, a reason and a way out, and never the text: it may be the password."""
    with pytest.raises(Unfit) as unfit:
        password_hash(text(refused))
    (fault,) = unfit.value.faults
    assert (fault.code, fault.line, fault.column) == (Code.PASSWORD, 1, 1)
    assert reason in fault.message
    assert "authz keys password" in fault.hint
    assert not refused or refused not in str(fault)


def test_a_user_name_is_one_that_basic_can_carry() -> None:
    """RFC 7617, section 2: a colon would end it, and control characters belong nowhere."""
    for fine in ("alice", "alice@example.com", "Zoë Müller", "a" * LONGEST_USER):
        assert user_name(text(fine)) == fine
    for wrong in ("", "a:b", "a\x00", "a\nb", "a" * (LONGEST_USER + 1)):
        with pytest.raises(Unfit, match="not a user name"):
            user_name(text(wrong))
