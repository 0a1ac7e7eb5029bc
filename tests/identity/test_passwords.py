"""A password is checked against a slow hash, off the thread that decides, and time does not tell who exists."""

from __future__ import annotations

import base64
import builtins
import queue
import statistics
import time
from typing import TYPE_CHECKING, Any

import bcrypt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.identity import passwords
from authz.identity.credentials import InvalidCredential
from authz.identity.inquiries import Inquiries, InquiryRules
from authz.identity.passwords import LONGEST, LONGEST_USER, Passwords, User, hashed, matches, read
from authz.model import Identity
from tests.identity.conftest import wait_for

if TYPE_CHECKING:
    from collections.abc import Mapping

NOW = 1_790_000_000.0
PASSWORD = "correct: horse"  # the colon belongs to it
ALICE = User(id="alice", subject="alice@example.com", hash=hashed(PASSWORD), roles=("admin",), scopes=("a", "b"))
BOB = User(id="bob", subject="bob", hash=bcrypt.hashpw(b"p" * 72, bcrypt.gensalt(10)).decode())


def basic(user: str, password: str) -> str:
    """Return what stands behind `Basic` in the header."""
    return base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.fixture(scope="module")
def users() -> Passwords:
    """Return two users, one of each kind of hash."""
    return Passwords("office", [ALICE, BOB])


def test_a_password_names_its_user(users: Passwords) -> None:
    """Subject, roles and scopes are the entry's; the first colon ends the name (RFC 7617, section 2)."""
    identity = users(basic("alice", PASSWORD), NOW, 1).at(NOW)
    assert (identity.authenticated, identity.provider, identity.subject) == (True, "office", "alice@example.com")
    assert (identity.roles, identity.scopes, identity.key_id) == (("admin",), ("a", "b"), "alice")
    assert users(basic("bob", "p" * 72), NOW, 1).at(NOW).subject == "bob"


@pytest.mark.parametrize(("user", "password"), [
    ("alice", "correct: hors"), ("alice", "Correct: horse"), ("Alice", PASSWORD), ("bob", PASSWORD),
    ("bob", "p" * 71), ("bob", "p" * 73), ("bob", "p" * 72 + "anything"), ("nobody", PASSWORD),
])  # fmt: skip
def test_another_password_is_nobodys(users: Passwords, user: str, password: str) -> None:
    """Also one that bcrypt would cut to the right one, which reads 72 bytes and no more."""
    with pytest.raises(InvalidCredential):
        users(basic(user, password), NOW, 1)


@pytest.mark.parametrize("credential", [
    "", "!", "YWxpY2U", basic("alice", "").rstrip("="), base64.b64encode(b"alice").decode(),
    base64.b64encode(b":x").decode(), base64.b64encode(b"alice:").decode(),
    base64.b64encode("alice:h\u00fcnter".encode("latin-1")).decode(),
    basic("alice", "a\nb"), basic("alice", "a\x00b"), basic("al\x7fice", "a"), basic("alice", "a\x85b"),
    basic("alice", "a" * (LONGEST + 1)), basic("a" * (LONGEST_USER + 1), "a"),
])  # fmt: skip
def test_what_is_no_user_name_and_password_costs_no_hash(
    users: Passwords, credential: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """J9 for Basic: length, encoding (UTF-8 only), control characters and the colon come before any computing."""
    monkeypatch.setattr(passwords, "matches", lambda *_: pytest.fail("computed"))
    with pytest.raises(InvalidCredential):
        users(credential, NOW, 1)


@given(st.text(max_size=100))
def test_no_text_is_a_credential_by_chance(text: str) -> None:
    """Whatever stands behind `Basic` is read or refused: nothing else comes out."""
    try:
        name, password = read(text)
    except InvalidCredential:
        return
    assert name
    assert password


def test_one_password_may_be_typed_in_two_ways() -> None:
    """A keyboard that sends letter and accent apart types the same password, and the same name (RFC 8265)."""
    users = Passwords("office", [User(id="Zo\u00eb", subject="zoe", hash=hashed("caf\u00e9 cr\u00e8me"))])
    assert users(basic("Zoe\u0308", "cafe\u0301 cre\u0300me"), NOW, 1).at(NOW).subject == "zoe"


@pytest.mark.parametrize("more", [{"disabled": True}, {"not_before": NOW + 1}, {"expires": NOW}])
def test_a_user_is_good_in_their_time(more: dict[str, Any]) -> None:
    """Disabled, not yet, no longer: refused after the hash, so that time tells nothing."""
    user = User(id="a", subject="a", hash=ALICE.hash, **more)
    with pytest.raises(InvalidCredential, match="the password of a "):
        Passwords("office", [user])(basic("a", PASSWORD), NOW, 1)


def test_a_finding_ends_with_the_user() -> None:
    """What is remembered of a password is looked at again for its times on every use."""
    said = Passwords("office", [User(id="a", subject="a", hash=ALICE.hash, expires=NOW + 5)])(
        basic("a", PASSWORD), NOW, 1
    )
    assert said.at(NOW + 4).subject == "a"
    with pytest.raises(InvalidCredential):
        said.at(NOW + 5)


def test_a_user_nobody_has_heard_of_costs_one_hash_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """O6: known or not, right or wrong, too long or not: one hash, with parameters that are somebody's of ours."""
    computed: list[str] = []

    def counted(kept: str, password: bytes) -> bool:
        computed.append(kept)
        return matches(kept, password)

    monkeypatch.setattr(passwords, "matches", counted)
    users = Passwords("office", [ALICE, BOB])
    for user, password in (("bob", "x"), ("nobody", "x"), ("nobody", "x"), ("alice", "x"), ("else", "x" * 100)):
        with pytest.raises(InvalidCredential):
            users(basic(user, password), NOW, 1)
    assert len(computed) == 5
    assert set(computed) == {ALICE.hash, BOB.hash}
    assert computed[1] == computed[2]


def test_time_does_not_tell_who_exists() -> None:
    """O6: an unknown user takes as long as a known one, measured in CPU of this thread, as a ratio."""
    users = Passwords("office", [ALICE])

    def cost(user: str) -> float:
        begun = time.thread_time()
        with pytest.raises(InvalidCredential):
            users(basic(user, "guess"), NOW, 1)
        return time.thread_time() - begun

    known, unknown = ([cost(user) for _ in range(9)] for user in ("alice", "mallory"))
    assert 0.5 < statistics.median(unknown) / statistics.median(known) < 2


def test_nobody_is_anybody_where_there_are_no_users() -> None:
    """An empty file lets nobody in."""
    with pytest.raises(InvalidCredential):
        Passwords("office", [])(basic("alice", PASSWORD), NOW, 1)


def test_what_is_not_installed_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is missed when policies are read, and only for the kinds of hashes that there are."""
    real = builtins.__import__

    def absent(name: str, *arguments: Any) -> object:
        if name == "bcrypt":
            raise ModuleNotFoundError(name)
        return real(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", absent)
    Passwords("office", [ALICE])
    with pytest.raises(ModuleNotFoundError):
        Passwords("office", [ALICE, BOB])


def test_a_password_is_hashed_once_for_many_requests() -> None:
    """While the first is computed others wait for it; later ones find it by a digest that is keyed for this process."""
    asked: list[str] = []
    check = Passwords("office", [ALICE])

    def counted(credential: str, now: float, timeout: float) -> Any:
        asked.append(credential)
        return check(credential, now, timeout)

    asking = Inquiries(counted, InquiryRules(timeout=30, keep=300, threads=passwords.THREADS))
    found: queue.SimpleQueue[object] = queue.SimpleQueue()
    for _ in range(20):
        asking.ask(basic("alice", PASSWORD), NOW, time.monotonic() + 30, found.put)
    assert {_subject(found.get(timeout=30)) for _ in range(20)} == {"alice@example.com"}
    asking.ask(basic("alice", PASSWORD), NOW + 299, time.monotonic(), found.put)
    assert _subject(found.get_nowait()) == "alice@example.com"
    assert len(asked) == 1
    other = Inquiries(counted, InquiryRules())
    other.ask(basic("alice", PASSWORD), NOW, time.monotonic() + 30, found.put)
    wait_for(lambda: bool(other._good))
    kept: Mapping[bytes, object] = other._good
    assert kept.keys().isdisjoint(asking._good)
    assert PASSWORD not in repr(asking._good)


def _subject(finding: object) -> str:
    assert isinstance(finding, Identity)
    return finding.subject
