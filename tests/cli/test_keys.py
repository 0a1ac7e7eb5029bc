"""A key that was made is one that the service takes."""

import hashlib
import hmac
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from authz.identity.passwords import matches
from authz.policy import key_entries, user_entries


def test_a_key_is_printed_once_and_its_entry_knows_it(run: Callable[..., Any]) -> None:
    """The entry is what the provider's file takes, and holds the digest only."""
    arguments = ("--id", "7", "--subject", "acme", "--role", "partner", "--scope", "a", "--scope", "b")
    ran = run("keys", "new", *arguments, "--expires", "2027-11-23T12:00:00Z")
    first, _, written = ran.out.partition("\n\n")
    key = re.fullmatch(r"key: (azk_[A-Za-z0-9_-]{43})", first)
    assert ran.status == 0
    assert key is not None
    assert key[1] not in written
    assert key[1] not in ran.err
    (entry,) = key_entries("keys.yaml", written.encode())
    assert entry.sha256 == hashlib.sha256(key[1].encode()).hexdigest()
    assert (entry.id, entry.subject, entry.roles, entry.scopes) == ("7", "acme", ("partner",), ("a", "b"))
    assert entry.expires == 1_826_971_200


def test_every_key_is_another(run: Callable[..., Any]) -> None:
    """Also its id, unless one is given."""
    first, second = (json.loads(run("keys", "new", "--output", "json").out) for _ in range(2))
    assert first["key"] != second["key"]
    assert first["entry"]["id"] != second["entry"]["id"]


def test_a_secret_makes_the_digest_an_hmac(run: Callable[..., Any], tmp_path: Path) -> None:
    """Without a file that holds one, no key is made."""
    secret = tmp_path / "pepper"
    secret.write_text("a secret of the provider\n")
    made = json.loads(run("keys", "new", "--secret-file", str(secret), "--output", "json").out)
    assert (
        made["entry"]["hmac-sha256"] == hmac.digest(b"a secret of the provider", made["key"].encode(), "sha256").hex()
    )
    secret.write_text("\n")
    for file in (secret, tmp_path / "missing"):
        ran = run("keys", "new", "--secret-file", str(file))
        assert (ran.status, ran.out) == (2, "")


def test_what_the_service_would_not_take_is_not_made(run: Callable[..., Any]) -> None:
    """A time or a name that the file of keys could not hold is a wrong argument."""
    for wrong in (("--expires", "tomorrow"), ("--id", "a b")):
        ran = run("keys", "new", *wrong)
        assert (ran.status, ran.out) == (2, "")


def test_a_key_that_is_over_already_is_not_made(run: Callable[..., Any]) -> None:
    """A year that is mistyped would be found by whoever is handed the key."""
    ran = run("keys", "new", "--expires", "2024-11-23T12:00:00Z")
    assert (ran.status, ran.out) == (2, "")
    assert "--expires: 2024-11-23T12:00:00Z is over" in ran.err


def test_a_time_that_is_none_is_told_how_to_write(run: Callable[..., Any]) -> None:
    """The hint of the fault comes along."""
    ran = run("keys", "new", "--expires", "soon")
    assert ran.err.endswith('"soon" is not a time (RFC 3339 with its offset: 2026-11-23T12:00:00Z)\n')


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Have standard input hold a text."""
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_a_password_becomes_an_entry(run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """From standard input and never from an argument; what is printed knows it, and does not hold it."""
    typed(monkeypatch, "correct horse\n")
    ran = run("keys", "password", "--id", "alice@example.com", "--subject", "alice", "--role", "admin")
    assert ran.status == 0
    assert "correct horse" not in ran.out + ran.err
    (entry,) = user_entries("users.yaml", ran.out.encode())
    assert (entry.id, entry.subject, entry.roles) == ("alice@example.com", "alice", ("admin",))
    assert matches(entry.hash, b"correct horse")
    typed(monkeypatch, "correct horse\n")
    assert json.loads(run("keys", "password", "--id", "a", "--output", "json").out)["entry"]["id"] == "a"


@pytest.mark.parametrize(("password", "arguments"), [
    ("short", ("--id", "alice")), ("", ("--id", "alice")), ("x" * 257, ("--id", "alice")),
    ("correct\x07horse", ("--id", "alice")), ("correct horse", ()), ("correct horse", ("--id", "a:b")),
    ("correct horse", ("--id", "a", "--expires", "tomorrow")), ("correct horse", ("--id", "a", "--secret-file", "x")),
])  # fmt: skip
def test_a_password_that_nobody_could_use_is_refused(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, password: str, arguments: tuple[str, ...]
) -> None:
    """Too short, too long, unprintable, without a user: a wrong argument, and it is not repeated."""
    typed(monkeypatch, f"{password}\n")
    ran = run("keys", "password", *arguments)
    assert (ran.status, ran.out) == (2, "")
    assert not password or password not in ran.err
