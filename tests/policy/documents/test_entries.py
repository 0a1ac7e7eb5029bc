"""Tests of the file that says who holds which API key."""

from __future__ import annotations

import pytest

from authz.errors import Fault
from authz.policy.codes import Code
from authz.policy.documents import key_entries
from authz.policy.documents.grammar import Unfit

DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
OTHER = DIGEST[::-1]


def pointed(fault: Fault) -> str:
    """Return what the caret of a fault underlines."""
    return fault.text[fault.column - 1 : fault.column - 1 + fault.length]


def faults(text: str) -> list[tuple[str, str]]:
    """Return the faults of a file as code and underlined text."""
    with pytest.raises(Unfit) as unfit:
        key_entries("keys.yaml", text.encode())
    return [(str(fault.code), pointed(fault)) for fault in unfit.value.faults]


def test_an_entry_says_who_holds_a_key_and_when() -> None:
    """Two keys of one subject, one of them to come, are how a key is rotated."""
    old, new = key_entries("keys.yaml", f"""
- {{id: acme-1, sha256: {DIGEST}, subject: acme, roles: [partner], expires: 2026-11-23T12:00:00Z}}
- {{id: acme-2, hmac-sha256: {OTHER}, subject: acme, not_before: "2026-11-23T13:00:00+01:00", disabled: true}}
""".encode())  # fmt: skip
    assert (old.id, old.digest, old.subject, old.roles, old.expires) == (
        "acme-1",
        DIGEST,
        "acme",
        ("partner",),
        1795435200,
    )
    assert (new.digest, new.not_before, new.disabled, new.expires) == (OTHER, 1795435200, True, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{}", [(Code.TYPE, "{")]),
        ("[x]", [(Code.TYPE, "x")]),
        ("- {id: a}", [(Code.MISSING_KEY, "")]),
        (f"- {{id: a, sha256: {DIGEST}, hmac-sha256: {OTHER}}}", [(Code.TOGETHER, "hmac-sha256")]),
        (f"- {{id: a, sha256: {DIGEST.upper()}}}", [(Code.DIGEST, "")]),
        (f"- {{id: a, sha256: {DIGEST}, expires: 2026-11-23}}", [(Code.MOMENT, "2026-11-23")]),
        (f"- {{id: a, sha256: {DIGEST}, expires: 2026-11-23T12:00:00}}", [(Code.MOMENT, "2026-11-23T12:00:00")]),
        (f"- {{id: a, sha256: {DIGEST}, expires: 2026-02-30T12:00:00Z}}", [(Code.MOMENT, "2026-02-30T12:00:00Z")]),
        (f"- {{id: a, sha256: {DIGEST}, role: [x]}}", [(Code.UNKNOWN_KEY, "")]),
        (f"- {{id: a, sha256: {DIGEST}}}\n- {{id: a, sha256: {OTHER}}}", [(Code.NAME_TAKEN, "a")]),
        (f"- {{id: a, sha256: {DIGEST}}}\n- {{id: b, sha256: {DIGEST}}}", [(Code.NAME_TAKEN, DIGEST)]),
    ],
)
def test_every_wrong_entry_is_told_with_its_place(text: str, expected: list[tuple[str, str]]) -> None:
    """A file of keys is read as strictly as a document."""
    assert faults(text) == expected


@pytest.mark.parametrize(
    ("entry", "places"),
    [
        ("{id: a, sha256: canary-key}", [(1, 19)]),
        ("{id: a, key: canary-key}", [(1, 3), (1, 11)]),
        ("{id: a, sha-256: canary-key, expires: soon}", [(1, 11), (1, 41)]),
    ],
)
def test_a_key_in_the_clear_is_not_repeated(entry: str, places: list[tuple[int, int]]) -> None:
    """Somebody will write the key where its digest belongs, or beside; no log, console or terminal shows it."""
    with pytest.raises(Unfit) as unfit:
        key_entries("keys.yaml", f"- {entry}".encode())
    assert sorted((fault.line, fault.column) for fault in unfit.value.faults) == places
    assert not any("canary" in str(fault) for fault in unfit.value.faults)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "keys.yaml:1:1: AZ105 expected entries"),
        ("# nobody\n", "keys.yaml:1:1: AZ105 expected entries"),
        ("id: acme\nsha256: ab\n", "keys.yaml:1:1: AZ105 expected a list of entries, not a mapping"),
        ("[]\n---\n[]\n", "keys.yaml:3:1: AZ105 entries are one list, and end here"),
    ],
)
def test_what_is_no_list_of_entries_has_its_place(text: str, told: str) -> None:
    """A file that holds something else is told where, and how a list is written."""
    with pytest.raises(Unfit) as unfit:
        key_entries("keys.yaml", text.encode())
    (fault,) = unfit.value.faults
    assert str(fault).startswith(f'{told} (one list, each entry behind "- "; [] for none)')
