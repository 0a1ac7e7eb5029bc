"""The file that says who has which password: entries of ours in YAML, or the lines of htpasswd; hashes either way.

It lies beside the IdentityProvider that names it; what ends in `.yaml`, `.yml` or `.json` is a list of entries. No
fault of it shows its source line: what stands where a hash belongs may be the password.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import cast

from msgspec.structs import replace
from pydantic import Field

from authz.errors import Fault
from authz.policy.codes import Code
from authz.policy.documents import hashes
from authz.policy.documents.entries import MAX_BYTES, Held, listed
from authz.policy.documents.grammar import Unfit
from authz.policy.documents.values import PasswordHash, UserName
from authz.policy.source import Source, Text
from authz.policy.yaml import decode

_YAML = (".yaml", ".yml", ".json")


class UserEntry(Held):
    """One user: the name they log in with, the hash of their password, and who that is."""

    id: UserName = Field(description="The name they log in with; records show it.", examples=["alice"])
    hash: PasswordHash = Field(
        description="The hash of the password: bcrypt or argon2id.",
        examples=["$2b$12$PKo92Gsf8eRQSYEswZyMsuM8v0cCJQVLCvcdBQuMZiZ2pGBUXUzuG"],
    )


def user_entries(path: str, content: bytes) -> tuple[UserEntry, ...]:
    """Return the users of a file; raise `Unfit` with every fault of it."""
    return _written(path, content) if path.endswith(_YAML) else _htpasswd(path, content)


def _written(path: str, content: bytes) -> tuple[UserEntry, ...]:
    try:
        return listed(path, content, UserEntry, lambda entries: _doubled(entry.id for entry in entries))
    except Unfit as unfit:
        raise Unfit(*map(_hidden, unfit.faults)) from None


def _hidden(fault: Fault) -> Fault:
    """Return a fault without what it shows of the file; a hint to quote a value would repeat the value."""
    return replace(fault, text="", length=1, hint="" if fault.code == Code.TYPE else fault.hint)


def _htpasswd(path: str, content: bytes) -> tuple[UserEntry, ...]:
    if len(content) > MAX_BYTES:
        raise Unfit(Fault(file=path, code=Code.SIZE, message=f"more than {MAX_BYTES} bytes of users"))
    source, encoding = decode(path, content)
    if encoding:
        raise Unfit(*encoding)
    faults: list[Fault] = []
    entries = [entry for user, kept in _lines(source) if (entry := _entry(user, kept, faults)) is not None]
    faults.extend(_doubled(entry.id for entry in entries))
    if faults:
        raise Unfit(*faults)
    return tuple(entries)


def _lines(source: Source) -> Iterator[tuple[Text, Text]]:
    """Yield the name and the hash of each line of htpasswd; blank lines and comments say nothing."""
    start = 0
    for line in source.text.splitlines(keepends=True):
        written = line.rstrip()
        user, colon, kept = written.partition(":")
        if written and not written.startswith("#"):
            middle = start + len(user)
            hashed = start + len(user + colon)
            yield (
                cast("Text", Text.at(user, source, start, middle)),
                cast("Text", Text.at(kept, source, hashed, hashed + len(kept))),
            )
        start += len(line)


def _entry(user: Text, kept: Text, faults: list[Fault]) -> UserEntry | None:
    found: list[Fault] = []
    for check, text in ((hashes.user_name, user), (hashes.password_hash, kept)):
        try:
            check(text)
        except Unfit as unfit:
            found.extend(unfit.faults)
    faults.extend(found)
    return None if found else UserEntry.model_construct(id=user, hash=kept)


def _doubled(names: Iterator[Text]) -> Iterator[Fault]:
    """Yield a fault for every second user of one name, however its characters are composed."""
    seen: dict[str, Text] = {}
    for name in names:
        if seen.setdefault(unicodedata.normalize("NFC", name), name) is not name:
            yield name.source.unshown(name.start, Code.NAME_TAKEN, "another entry has this user name already")
