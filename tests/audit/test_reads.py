"""What a decision depended on, as its record has it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from authz.audit.reads import LONGEST, MOST, NOTHING, ReadsForm, ReadsWriter
from authz.model import Knowing, Read

CANARY = "canary-5ecret"
KEY = b"k" * 32


class Found:
    """Reads that were found out."""

    def __init__(self, *reads: Read) -> None:
        self.found = reads
        self.written: tuple[object, Raw] | None = None
        self.asked = 0

    def entries(self) -> tuple[Read, ...]:
        """Return them, and count."""
        self.asked += 1
        return self.found


def read(name: str, value: object, key: str | None = None) -> Read:
    """Return an attribute with a value."""
    return Read(name=name, key=key, knowing=Knowing.VALUE, value=value)


def written(form: ReadsForm, *reads: Read, key: bytes = KEY) -> dict[str, Any]:
    """Return what is written of reads."""
    line: dict[str, Any] = json.loads(bytes(ReadsWriter(form, key)(Found(*reads))))
    return line


SECRETS = (
    read("request.headers", f"Bearer {CANARY}", "authorization"),
    read("request.headers", CANARY, "x-acme-token"),
    read("request.headers", CANARY, "cookie"),
    read("request.headers", {"x-api-key": CANARY, "accept": "text/html"}),
    read("request.headers_all", [CANARY], "proxy-authorization"),
    read("request.query", [CANARY], "access_token"),
    read("request.query_one", CANARY, "sig"),
    read("request.url", f"https://a/b?page=1&token={CANARY}"),
    read("request.body", CANARY.encode()),
    read("request.json", {"login": {"password": CANARY}, "$absent": CANARY}, None),
    read("request.json", {"password": CANARY}, "login"),
    read("request.json", [{"Secret": CANARY}], "list"),
    read("identity.claims", CANARY, "access_token"),
    read("source.certificate", CANARY),
    read("attributes", CANARY),
)


@pytest.mark.parametrize("form", [ReadsForm.FINGERPRINTS, ReadsForm.VALUES])
@pytest.mark.parametrize("secret", SECRETS, ids=str)
def test_no_form_tells_a_credential(form: ReadsForm, secret: Read) -> None:
    """O2: what carries a credential by its name is a fingerprint at most, however deep inside a value it is."""
    assert CANARY not in json.dumps(written(form, secret))


OTHERS = (
    read("request.headers", CANARY, "x-tenant"),
    read("request.query", [CANARY], "page"),
    read("identity.claims", CANARY, "tenant"),
    read("request.json", CANARY, "sku"),
    read("request.graphql", {"name": CANARY}),
    read("metadata", {"a": CANARY}),
    read("request.url", f"https://a/{CANARY}"),
)


@pytest.mark.parametrize("other", OTHERS, ids=str)
def test_values_of_callers_are_told_only_where_the_operator_says_so(other: Read) -> None:
    """By default a record tells of a value that a caller chose only whether it is the same as another."""
    assert CANARY not in json.dumps(written(ReadsForm.FINGERPRINTS, other))
    assert CANARY in json.dumps(written(ReadsForm.VALUES, other))
    assert written(ReadsForm.OFF, other) == {}


def test_what_a_record_holds_anyway_is_told() -> None:
    """Method, addresses and who was identified are in the record already; headers of its allow-list too."""
    reads = (read("request.method", "GET"), read("identity.roles", ("a",)), read("request.headers", "x/y", "accept"))
    assert written(ReadsForm.FINGERPRINTS, *reads) == {
        "request.method": "GET",
        "identity.roles": ["a"],
        'request.headers["accept"]': "x/y",
    }


def test_fingerprints_are_equal_where_value_and_key_are() -> None:
    """A fingerprint says whether two values were the same, and without the key cannot be guessed (O2)."""
    one, same, other = (
        written(ReadsForm.FINGERPRINTS, read("identity.claims", value, "t")) for value in ("a", "a", "b")
    )
    foreign = written(ReadsForm.FINGERPRINTS, read("identity.claims", "a", "t"), key=b"x")
    assert one == same != other
    assert one != foreign
    assert list(one['identity.claims["t"]']) == ["$fingerprint"]


def test_what_was_not_there_is_no_value() -> None:
    """An absent key and a name without a value are marked, and no value of a caller can look like a mark."""
    absent = Read(name="request.headers", key="x", knowing=Knowing.ABSENT)
    unbound = Read(name="request.json", key=None, knowing=Knowing.UNBOUND, value="the body is truncated")
    forged = read("identity.claims", {"$absent": True}, "x")
    line = written(ReadsForm.VALUES, absent, unbound, forged)
    assert line['request.headers["x"]'] == {"$absent": True}
    assert line["request.json"] == {"$error": "the body is truncated"}
    assert list(line['identity.claims["x"]']) == ["$fingerprint"]


def test_reads_are_bounded() -> None:
    """O5: long values are cut and say so; there are only so many."""
    many = [read("request.headers", "x" * 10_000, f"h{number}") for number in range(1000)]
    line = written(ReadsForm.VALUES, *many)
    assert len(line) == MOST
    assert all(value == {"$cut": 10_002} for value in line.values())
    assert len(json.dumps(written(ReadsForm.VALUES, read("request.json", "\0" * LONGEST)))) < LONGEST


def test_a_decision_that_is_kept_is_written_once() -> None:
    """Kept decisions carry their written form; another writer, with another form or key, writes its own."""
    found = Found(*OTHERS)
    writer = ReadsWriter(ReadsForm.VALUES, KEY)
    assert writer(found) is writer(found)
    assert found.asked == 1
    assert ReadsWriter(ReadsForm.FINGERPRINTS, KEY)(found) != writer(found)
    assert writer(None) is NOTHING


@pytest.mark.parametrize("value", ["acme", 'a"b\\c', "\x7f\u2028", "", "x" * 65])
def test_a_text_that_came_before_is_written_as_it_was(value: str) -> None:
    """What is kept of the writing of short texts is what would be written, for each name, key and form."""
    for form in (ReadsForm.FINGERPRINTS, ReadsForm.VALUES):
        writer = ReadsWriter(form, KEY)
        for name, key in (("request.headers", "x-tenant"), ("request.params", "tenant"), ("request.path", None)):
            lines = [writer(Found(read(name, value, key))) for _ in range(2)]
            assert lines == [ReadsWriter(form, KEY)(Found(read(name, value, key)))] * 2


def test_no_credential_is_kept_in_memory() -> None:
    """What carries a credential by its name is written anew each time, and forgotten."""
    writer = ReadsWriter(ReadsForm.VALUES, KEY)
    for secret in SECRETS:
        writer(Found(secret))
    assert writer._short.cache_info().currsize == 0
    writer(Found(read("request.headers", "acme", "x-tenant")))
    assert writer._short.cache_info().currsize == 1
