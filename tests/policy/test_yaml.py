"""Tests of YAML as policies are written in it: what is read, and what is refused (rows L5, L6)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.errors import Fault
from authz.policy.codes import Code
from authz.policy.source import Boolean, Mapping, Null, Number, Scalar, Sequence, Text
from authz.policy.yaml import MAX_BYTES, MAX_DEPTH, MAX_FAULTS, compose


def faults(text: str | bytes) -> tuple[Fault, ...]:
    """Return the faults of a file."""
    return compose("p.yaml", text.encode() if isinstance(text, str) else text).faults


def places(text: str | bytes) -> list[tuple[int, int, str]]:
    """Return line, column and code of the faults of a file."""
    return [(fault.line, fault.column, fault.code) for fault in faults(text)]


def value(text: str) -> Scalar:
    """Return the value of `a: ...`."""
    composed = compose("p.yaml", f"a: {text}\n".encode())
    assert not composed.faults, composed.faults
    root = composed.documents[0]
    assert isinstance(root, Mapping)
    found = root["a"]
    assert isinstance(found, Scalar)
    return found


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        *(
            (text, Text)
            for text in ("no", "NO", "off", "on", "yes", "y", "n", "22:22", "2026-11-23", "2026-11-23T12:00:00Z")
        ),
        *((text, Text) for text in ("1_000", "3/minute", "0b11", "1.2.3", "5m", "'true'", '"1"', "'null'", "|\n  1")),
        *((text, Number) for text in ("0", "1", "-1", "+12", "1.10", "1e3", ".5", "-0.0", "0o14", "0x1F", "1.")),
        *((text, Boolean) for text in ("true", "false")),
        *((text, Null) for text in ("", "~", "null", "Null", "NULL")),
    ],
)
def test_a_plain_scalar_is_what_yaml_1_2_says(written: str, kind: type[Scalar]) -> None:
    """L6: what YAML 1.1 would convert (`no`, `22:22`, dates) stays a text; numbers keep their digits."""
    found = value(written)

    assert type(found) is kind
    if kind is not Null and written[0] not in "'\"|":
        assert found == written


@pytest.mark.parametrize(
    "written", ["True", "TRUE", "False", "FALSE", "012", "-007", "08", "0_1", ".inf", "-.INF", ".nan"]
)
def test_what_readers_disagree_about_is_refused(written: str) -> None:
    """L6: a scalar that YAML 1.1 and 1.2 read differently is a fault, and quoted it is a text."""
    assert places(f"a: {written}") == [(1, 4, Code.AMBIGUOUS)]
    assert type(value(f"'{written}'")) is Text


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: 1\na: 2\n", (2, 1, Code.DUPLICATE_KEY)),
        ('a: 1\n"a": 2\n', (2, 1, Code.DUPLICATE_KEY)),
        ("a: {b: 1, c: 2, b: 3}", (1, 17, Code.DUPLICATE_KEY)),
        ("a: &x 1\n", (1, 4, Code.ALIAS)),
        ("&x a: 1\n", (1, 1, Code.ALIAS)),
        ("a: *x\n", (1, 4, Code.ALIAS)),
        ("*x : 1\n", (1, 1, Code.ALIAS)),
        ("a:\n  <<: {b: 1}\n", (2, 3, Code.ALIAS)),
        ("a: !!python/object:os.system x", (1, 4, Code.TAG)),
        ("a: !!str 1", (1, 4, Code.TAG)),
        ("a: !local {b: 1}", (1, 4, Code.TAG)),
        ("%YAML 1.1\n---\na: 1\n", (1, 1, Code.TAG)),
        ("%TAG ! tag:x,2000:\n---\na: 1\n", (1, 1, Code.TAG)),
        ("1: a\n", (1, 1, Code.KEY)),
        ("true: a\n", (1, 1, Code.KEY)),
        ("?\n: a\n", (1, 2, Code.KEY)),
        ("? [a]\n: b\n", (1, 3, Code.KEY)),
        ("? {a: b}\n: b\n", (1, 3, Code.KEY)),
        ("a:\n\t- b\n", (2, 1, Code.SYNTAX)),
        ("a: b: c\n", (1, 5, Code.SYNTAX)),
        ("a: [b\n", (2, 1, Code.SYNTAX)),
        ('a: "b\n', (2, 1, Code.SYNTAX)),
        ("a: @b\n", (1, 4, Code.SYNTAX)),
        ('a: "\\0"', (1, 4, Code.ENCODING)),
        ("a: \x00", (1, 4, Code.ENCODING)),
        ("a: \x07", (1, 4, Code.ENCODING)),
        ("a: b\rc: d", (1, 5, Code.ENCODING)),
        ("a: b\n# c\u2028d", (2, 4, Code.ENCODING)),
        ("a: b # \u202e", (1, 8, Code.ENCODING)),
        ("\ufeffa: b", (1, 1, Code.ENCODING)),
        ("a: \x85b", (1, 4, Code.ENCODING)),
        (b"a: \xc3\xa4\n\xff", (2, 1, Code.ENCODING)),
        ("a: b".encode("utf-16"), (1, 1, Code.ENCODING)),
    ],
)
def test_a_trap_of_yaml_is_a_fault_with_its_place(text: str | bytes, place: tuple[int, int, str]) -> None:
    """L6: duplicate keys, anchors, aliases, merges, tags, odd keys, invisible characters are refused where they are."""
    found = places(text)

    assert place in found
    assert len(found) == 1 or place[2] is Code.ALIAS


def test_a_duplicate_key_names_the_first() -> None:
    """L6: the second of two `rules` says where the first is."""
    (fault,) = faults("rules: []\nx: 1\nrules: []\n")

    assert fault.message == '"rules" is already given in line 1'


def test_a_fault_never_prints_what_must_not_be_seen() -> None:
    """The source line of an invisible character is not shown: it would do in a terminal what it does in an editor."""
    (fault,) = faults("a: b # \u202e")

    assert fault.text == ""
    assert "U+202E" in fault.message


def test_every_fault_of_a_file_is_found() -> None:
    """Faults do not hide each other: neither in one document, nor across documents, nor behind one that is no YAML."""
    text = "a: &x 1\na: 2\n1: 3\n---\nb: [1,\n---\nc: True\n---\nd: !x 1\n---\ne: f: g\n"

    assert places(text) == [
        (1, 4, Code.ALIAS),
        (2, 1, Code.DUPLICATE_KEY),
        (3, 1, Code.KEY),
        (6, 1, Code.SYNTAX),
        (7, 4, Code.AMBIGUOUS),
        (9, 4, Code.TAG),
        (11, 5, Code.SYNTAX),
    ]


def test_documents_behind_a_broken_one_are_composed_at_their_lines() -> None:
    """A document that is no YAML does not move the places of the next one."""
    composed = compose("p.yaml", b"a: [1\n---\nb: c\n")

    (root,) = composed.documents
    assert isinstance(root, Mapping)
    assert root.source.place(root.key("b").start) == (3, 1)


def test_empty_documents_say_nothing() -> None:
    """Comments and empty documents between `---` are no documents; an empty file has none."""
    assert len(compose("p.yaml", b"---\n# nothing\n---\na: b\n---\n").documents) == 1
    assert compose("p.yaml", b"") == compose("p.yaml", b"# nothing\n")


def test_a_document_that_lost_a_part_is_not_handed_on() -> None:
    """A document whose alias or merge cannot be read is left out: what remains would mean something else."""
    assert compose("p.yaml", b"a: *x\n---\nb: c\n").documents == ({"b": "c"},)
    assert compose("p.yaml", b"a: {<<: {b: c}}\n").documents == ()


def test_deep_nesting_ends_the_reading() -> None:
    """L6: a nesting bomb is one fault, found at the bound and without recursion in C."""
    deep = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert not faults(f"{deep}")
    for bomb in (f"[{deep}]", "[" * 100_000, "- " * 100_000, "? " * 100_000, "{a: " * 100_000):
        (fault,) = faults(bomb)
        assert fault.code == Code.SIZE


def test_a_large_file_is_not_parsed() -> None:
    """L6: one byte above the bound is a fault of the file."""
    assert not faults(b"#" * MAX_BYTES)
    (fault,) = faults(b"#" * (MAX_BYTES + 1))
    assert (fault.line, fault.code) == (0, Code.SIZE)


def test_the_number_of_faults_is_bounded() -> None:
    """A file of a hundred thousand faults costs no more than its first hundred."""
    assert len(faults("a: 1\n" * 100_000)) == MAX_FAULTS
    assert len(faults("a: [\n---\n" * 1000)) == MAX_FAULTS


def test_windows_line_ends_are_line_ends() -> None:
    """CRLF reads as LF, with the same lines and columns."""
    assert places("a: 1\r\nb: True\r\n") == [(2, 4, Code.AMBIGUOUS)]


@given(st.binary(max_size=200))
def test_any_bytes_compose_or_are_faults(content: bytes) -> None:
    """Law: no bytes raise; what is composed has only nodes of our own, and no text with NUL."""
    composed = compose("p.yaml", content)

    for node in composed.documents:
        check(node)


@given(st.text("ab:-?[]{},&*!|>'\"%@#~ \n\t019.", max_size=60))
def test_any_text_of_yaml_signs_composes_or_is_a_fault(text: str) -> None:
    """Law: the same for texts made of what YAML gives a meaning to; every fault has a place inside the file."""
    composed = compose("p.yaml", text.encode())

    lines = text.split("\n")
    for fault in composed.faults:
        assert 1 <= fault.line <= len(lines)
        assert 1 <= fault.column <= len(lines[fault.line - 1]) + 1
    for node in composed.documents:
        check(node)


def check(node: object) -> None:
    """Check that a node is of our own kinds, all the way down, and stands where it says."""
    if isinstance(node, Mapping):
        for key in node.written():
            assert type(key) is Text
        for item in node.values():
            check(item)
    elif isinstance(node, Sequence):
        for item in node:
            check(item)
    else:
        assert isinstance(node, Scalar)
        assert "\x00" not in node
        assert 0 <= node.start <= node.end <= len(node.source.text)
        if type(node) in {Number, Boolean}:
            assert node.raw.split()[-1] == node  # an anchor before it is a fault of its own


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("allow: !identity.authenticated", (1, 8, Code.TAG)),
        ("allow: !variables.known\nname: a", (1, 8, Code.TAG)),
        ('allow: !identity.authenticated && request.method == "GET"', (1, 33, Code.SYNTAX)),
    ],
)
def test_a_condition_that_is_not_quoted_is_told_how(content: str, place: tuple[int, int, Code]) -> None:
    """The first `!` of many an author is a tag to YAML: one fault, and what to do."""
    (fault,) = compose("a.yaml", content.encode()).faults

    assert (fault.line, fault.column, fault.code) == place
    assert fault.hint == "quote the whole of a text that begins with '!'"
