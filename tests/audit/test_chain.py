"""Records in a chain: none can be changed, taken out, put in or moved unseen."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.audit.chain import START, Chain, Wrong, last_hash, verify


def chained(count: int, secret: bytes = b"", last: str = START) -> list[bytes]:
    """Return so many records in a chain, as lines."""
    chain = Chain(last, secret)
    lines, chain.last = chain.linked(b"".join(b'{"id":"%d"}\n' % number for number in range(count)))
    return lines.splitlines(keepends=True)


def test_a_line_is_json_with_both_hashes() -> None:
    """What the hash is of can be had with `sha256sum`: the line without its last member and without a brace."""
    first, second = chained(2)
    one, two = json.loads(first), json.loads(second)
    assert (one["id"], one["previous"], two["previous"]) == ("0", START, one["hash"])
    assert hashlib.sha256(first[: first.index(b',"hash"')]).hexdigest() == one["hash"]


def test_a_chain_goes_on_from_pile_to_pile() -> None:
    """What was not written is not linked to: the last hash is kept by whoever wrote."""
    chain = Chain()
    lines, chain.last = chain.linked(b'{"id":"0"}\n')
    chain.linked(b'{"id":"lost"}\n')
    more, chain.last = chain.linked(b'{"id":"1"}\n')
    assert lines + more == b"".join(chained(2))
    assert chain.linked(b"") == (b"", chain.last)


def test_a_good_chain_is_good() -> None:
    """With its first and last hash, for those who keep them elsewhere."""
    lines = chained(5)
    verdict = verify(lines)
    assert (verdict.records, verdict.wrong, verdict.first) == (5, None, START)
    assert verdict.last == json.loads(lines[-1])["hash"] == last_hash(lines)
    assert verify(lines, last=verdict.last).wrong is None
    assert verify(chained(2, last="ab" * 32)).first == "ab" * 32


@pytest.mark.parametrize(
    ("wrong", "line", "lines"),
    [
        (Wrong.CHANGED, 2, lambda all_: [all_[0], all_[1].replace(b'"1"', b'"9"'), *all_[2:]]),
        (Wrong.MISSING, 3, lambda all_: [*all_[:2], *all_[3:]]),
        (Wrong.MISSING, 3, lambda all_: [*all_[:2], all_[0], *all_[2:]]),
        (Wrong.REORDERED, 2, lambda all_: [all_[0], all_[2], all_[1], *all_[3:]]),
        (Wrong.UNCHAINED, 3, lambda all_: [*all_[:2], b'{"id":"x"}\n', *all_[2:]]),
        (Wrong.TORN, 5, lambda all_: [*all_[:4], all_[4][:20]]),
        (Wrong.TORN, 5, lambda all_: [*all_[:4], all_[4].rstrip(b"\n")]),
        (Wrong.UNCHAINED, 1, lambda _: [b'{"id":"x"}\n']),
        (Wrong.UNCHAINED, 0, lambda _: []),
    ],
)
def test_the_first_line_that_is_wrong_is_found(wrong: Wrong, line: int, lines: object) -> None:
    """Changed, taken out, put in twice, moved, put in from elsewhere, cut off; nothing at all is no chain."""
    verdict = verify(lines(chained(5)))  # type: ignore[operator]
    assert (verdict.wrong, verdict.line) == (wrong, line)


def test_what_is_cut_off_at_a_line_is_missed_by_its_hash() -> None:
    """A chain that ends early is a chain; only who knows the last hash can tell."""
    lines = chained(5)
    last = verify(lines).last
    assert verify(lines[:3]).wrong is None
    assert verify(lines[:3], last=last).wrong is Wrong.TRUNCATED


def test_lines_before_the_chain_began_are_counted() -> None:
    """A file may be older than the setting."""
    verdict = verify([b'{"id":"old"}\n', *chained(2)])
    assert (verdict.records, verdict.before, verdict.wrong) == (2, 1, None)


@pytest.mark.parametrize("secret", [b"", b"secret"])
def test_records_do_not_become_lines_from_before_the_chain(secret: bytes) -> None:
    """Who has no key could strip the first records of their links and write what they like in them."""
    lines = chained(4, secret)
    stripped = [line[: line.index(b',"previous"')] + b"}\n" for line in lines[:2]]
    verdict = verify([stripped[0].replace(b'"0"', b'"9"'), stripped[1], *lines[2:]], secret)
    assert (verdict.wrong, verdict.line, verdict.records) == (Wrong.MISSING, 3, 0)


def test_without_the_key_nobody_can_make_the_chain() -> None:
    """With another key, or none, every record looks changed; and a chain without a key is not one with."""
    assert verify(chained(3, b"secret"), b"secret").wrong is None
    for made, looked in ((b"secret", b"other"), (b"secret", b""), (b"", b"secret")):
        assert verify(chained(3, made), looked).wrong is Wrong.CHANGED


@given(st.integers(0, 400), st.integers(0, 255), st.booleans())
def test_no_byte_can_be_exchanged(place: int, byte: int, keyed: bool) -> None:
    """Whatever is written over a byte of a chain, it is seen."""
    secret = b"s" if keyed else b""
    text = bytearray(b"".join(chained(3, secret)))
    place %= len(text)
    if text[place] == byte:
        return
    text[place] = byte
    verdict = verify(bytes(text).splitlines(keepends=True), secret)
    assert verdict.wrong is not None or verdict.first != START or verdict.before
