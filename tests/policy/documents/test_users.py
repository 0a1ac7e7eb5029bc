"""Tests of the file that says who has which password."""

from __future__ import annotations

import pytest

from authz.policy.codes import Code
from authz.policy.documents import user_entries
from authz.policy.documents.grammar import Unfit

HASH = "$2y$12$PKo92Gsf8eRQSYEswZyMsuM8v0cCJQVLCvcdBQuMZiZ2pGBUXUzuG"
CANARY = "hunter2-canary"


def faults(path: str, text: str) -> list[tuple[str, int, int]]:
    """Return the faults of a file as code and place; none of them shows what is written there."""
    with pytest.raises(Unfit) as unfit:
        user_entries(path, text.encode())
    assert CANARY not in "\n".join(map(str, unfit.value.faults))
    return [(str(fault.code), fault.line, fault.column) for fault in unfit.value.faults]


def test_a_user_is_an_entry_or_a_line() -> None:
    """The same user, in YAML with what else is known, and as `htpasswd -B` writes it."""
    (entry,) = user_entries(
        "users.yaml",
        f"- {{id: alice@example.com, hash: {HASH}, subject: alice, roles: [admin], disabled: true}}".encode(),
    )
    assert (entry.id, entry.hash, entry.subject, entry.roles) == ("alice@example.com", HASH, "alice", ("admin",))
    assert entry.disabled
    lines = user_entries("users.htpasswd", f"# staff\r\n\nalice:{HASH}\r\nbob:{HASH}  \n".encode())
    assert [(line.id, line.hash, line.subject, line.roles) for line in lines] == [
        ("alice", HASH, None, ()), ("bob", HASH, None, ()),
    ]  # fmt: skip


@pytest.mark.parametrize(("path", "text", "expected"), [
    ("u.yaml", "{}", [(Code.TYPE, 1, 1)]),
    ("u.yaml", f"- {{id: a, hash: {CANARY}}}", [(Code.PASSWORD, 1, 17)]),
    ("u.yaml", f"- {{id: a, password: {CANARY}}}", [(Code.MISSING_KEY, 1, 3), (Code.UNKNOWN_KEY, 1, 11)]),
    ("u.yaml", f"- {{id: 'a:b', hash: {HASH}}}", [(Code.USER, 1, 8)]),
    ("u.yaml", f"- {{id: a, hash: {HASH}}}\n- {{id: a, hash: {HASH}}}", [(Code.NAME_TAKEN, 2, 8)]),
    ("u.yaml", f"- {{id: a, hash: [{CANARY}", [(Code.SYNTAX, 1, 32)]),
    ("u.htpasswd", CANARY, [(Code.PASSWORD, 1, 15)]),
    ("u.htpasswd", f"a:{CANARY}\nb:$apr1${CANARY}\n:{HASH}",
     [(Code.PASSWORD, 1, 3), (Code.PASSWORD, 2, 3), (Code.USER, 3, 1)]),
    ("u.htpasswd", f"Zo\u00eb:{HASH}\nb:{HASH}\nZoe\u0308:{HASH}", [(Code.NAME_TAKEN, 3, 1)]),
    ("u.htpasswd", f"a:{HASH}:{CANARY}", [(Code.PASSWORD, 1, 3)]),
])  # fmt: skip
def test_every_wrong_user_is_told_with_its_place(path: str, text: str, expected: list[tuple[str, int, int]]) -> None:
    """All at once, and never with the line: O2, what stands where a hash belongs may be the password."""
    assert sorted(faults(path, text)) == sorted(expected)


def test_a_number_is_not_repeated_either() -> None:
    """The usual hint to quote a number would print somebody's password."""
    with pytest.raises(Unfit) as unfit:
        user_entries("u.yaml", b"- {id: a, hash: 20261123}")
    assert "20261123" not in str(unfit.value.faults[0])


def test_a_file_is_read_up_to_a_size_and_in_utf_8() -> None:
    """What is larger or otherwise encoded is no file of users."""
    assert faults("u.htpasswd", "a" * (16 << 20) + "b") == [(Code.SIZE, 0, 0)]
    with pytest.raises(Unfit):
        user_entries("u.htpasswd", b"\xff:x")
