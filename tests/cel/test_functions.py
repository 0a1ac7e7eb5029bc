"""The functions of the registry, and the promise of their examples."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.cel import BOOL, Environment, NetworkIndex, Secret, standard
from authz.cel.functions import FUNCTIONS, INTERNAL, has_all, has_any, join, replace, sha256, url_decode, url_encode
from authz.cel.values import MAX_TEXT, NoValueError

NETWORKS = NetworkIndex(["203.0.113.0/24"])
SECRET = Secret(b"It's a Secret to Everybody")  # with "Hello, World!" the test vector of GitHub's documentation
KNOWN = (*FUNCTIONS, *standard.OPERATORS, *standard.MACROS, *standard.FUNCTIONS)


@pytest.mark.parametrize("function", KNOWN, ids=lambda function: function.name)
def test_every_example_is_true(environment: Environment, function: standard.Function) -> None:
    """What the reference shows holds, on every engine."""
    given_ = {"data.networks": NETWORKS, "data.secret": SECRET, "request.time": datetime(2026, 11, 23, tzinfo=UTC)}
    expression = environment.compile(function.example, expect=BOOL)
    assert expression.holds(environment.activation(given_)) is True


def test_the_registry_is_complete() -> None:
    """Every function has its usage, a line and an example; nothing in it names I/O (C18)."""
    for function in FUNCTIONS:
        assert function.usage
        assert function.doc.endswith(".")
        assert function.example
    ids = [overload.id for function in (*FUNCTIONS, *INTERNAL) for overload in function.overloads]
    assert len(ids) == len(set(ids))
    assert not {"http", "file", "env", "exec", "dns"} & {function.name.partition(".")[0] for function in FUNCTIONS}


def test_internal_functions_cannot_be_called() -> None:
    """What the rewriting calls has names that nobody can write."""
    assert all(function.name.startswith("@") for function in INTERNAL)


@given(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_decoding_undoes_encoding(text: str) -> None:
    """What is encoded is decoded to the same text, and holds only unreserved characters and escapes."""
    encoded = url_encode(text)
    assert url_decode(encoded) == text
    assert encoded.isascii()
    assert not set(encoded) & set(" /?#&=+;\"'<>")


@pytest.mark.parametrize("text", ["%", "%2", "%zz", "%ff", "%c3%28", "%00", "%ed%a0%80"])
def test_what_is_no_encoded_text_has_no_value(text: str) -> None:
    """Bad escapes, bad UTF-8 and NUL are errors."""
    with pytest.raises(NoValueError):
        url_decode(text)


def test_a_digest_is_of_the_bytes() -> None:
    """A text is hashed as its UTF-8, NUL and all."""
    assert sha256("é") == sha256("é".encode()) == sha256(bytearray("é".encode()))
    assert sha256(b"a\0b") != sha256(b"a")


@given(st.lists(st.sampled_from([1, 1.0, True, "1", None, (), "a"])), st.lists(st.sampled_from([1, True, "1", "a"])))
def test_overlap_is_membership_one_by_one(left: list[object], right: list[object]) -> None:
    """`hasAny` and `hasAll` say what comparing each element with each says; a bool is no number (C6)."""
    listed = [list(element) if element == () else element for element in left]

    def same(one: object, other: object) -> bool:
        number = isinstance(one, bool) is isinstance(other, bool)
        return number and one == other

    assert has_any(listed, right) is any(same(one, other) for one in listed for other in right)
    assert has_all(listed, right) is all(any(same(one, other) for one in listed) for other in right)


def test_lists_that_are_compared_one_by_one_are_bounded() -> None:
    """Texts are looked up whatever their number; what has to be compared may not be too much."""
    assert has_any([str(number) for number in range(50_000)], ["49999"])
    with pytest.raises(NoValueError):
        has_any(list(range(1_000)), list(range(1_000, 2_000)))


def test_texts_that_are_made_are_bounded() -> None:
    """A result that would be too long is an error before it is made (C12)."""
    with pytest.raises(NoValueError):
        replace("a" * 2_000, "a", "b" * 2_000)
    with pytest.raises(NoValueError):
        replace("a" * 2_000, "", "b" * 2_000)
    with pytest.raises(NoValueError):
        join(["a" * MAX_TEXT, "b"])
    with pytest.raises(NoValueError):
        join(["a"] * 2_000, "b" * 1_000)
    assert replace("aaa", "a", "b", 2) == "bba"
    assert replace("aaa", "a", "", 0) == "aaa"


def test_only_texts_are_joined() -> None:
    """A list with anything else has no text."""
    with pytest.raises(NoValueError):
        join(["a", 1])
