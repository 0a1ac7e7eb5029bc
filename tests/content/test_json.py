"""Tests of JSON with one meaning (rows B5 to B8)."""

from __future__ import annotations

import json
import math
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from authz.content.json import MAX_BYTES, MAX_DEPTH, MAX_VALUES, JSONError, loads


class Refused(ValueError):
    """The oracle refuses."""


def oracle(content: bytes) -> object:
    """Read JSON as the standard library does, every trap closed by a hook: slow, and plainly right."""

    def distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
        if len({key for key, _ in pairs}) != len(pairs):
            raise Refused
        return dict(pairs)

    def integer(text: str) -> int:
        if len(text) > 30 or not -(2**63) <= int(text) < 2**63:
            raise Refused
        return int(text)

    def double(text: str) -> float:
        if not math.isfinite(float(text)):
            raise Refused
        return float(text)

    value = json.loads(
        content.decode(), object_pairs_hook=distinct, parse_int=integer, parse_float=double, parse_constant=double
    )
    json.dumps(value, ensure_ascii=False).encode()
    if depth(value) > MAX_DEPTH:
        raise Refused
    return value


def depth(value: object) -> int:
    """Return how many containers of a value hold each other."""
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


def same(one: object, other: object) -> bool:
    """Tell whether two values are the same in type, too: 1 is not 1.0, and 0.0 is not -0.0."""
    return repr(one) == repr(other)


def agree(content: bytes) -> None:
    """Check that the oracle and we read the same, or both refuse."""
    try:
        expected = oracle(content)
    except (ValueError, RecursionError):
        with pytest.raises(JSONError):
            loads(content)
    else:
        assert same(loads(content), expected)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text('ab":, ', max_size=3), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES, st.sampled_from([(",", ":"), (", ", ": "), (" , ", " : "), (",\n", "\t:\r\n")]), st.booleans())
def test_what_json_writes_is_read_as_strictly_as_by_an_oracle(
    value: object, separators: tuple[str, str], ascii_only: bool
) -> None:
    """Law: of documents as programs write them, exactly those are read that the hooked standard library reads."""
    agree(json.dumps(value, separators=separators, ensure_ascii=ascii_only).encode(errors="surrogatepass"))


@given(st.text(r'{}[]:,"\ud8dca01eE.+-9 ' + "\n\té", max_size=40))
@example('{"a":1,"a":2}')
@example('{"a" :1,"a":2}')
@example('{"\\u0061":1,"a":2}')
@example('{"a":"\\":","a":1}')
@example('{"a":"\\"","a":"\\""}')
@example('{"a":["b","c"],"a":[]}')
@example('["\\ud83d\\ude00"]')
@example('["\\ude00\\ud83d"]')
@example("[-0, -0.0, 1E5, 1e-400, 1e308, -1e309]")
@example("[1e400]")
def test_any_text_of_json_signs_is_read_as_by_an_oracle(text: str) -> None:
    """Law: texts made of what JSON gives a meaning to are read or refused as the hooked standard library does."""
    agree(text.encode())


@given(st.binary(max_size=60))
def test_any_bytes_are_read_as_by_an_oracle(content: bytes) -> None:
    """Law: the same for any bytes; nothing else than `JSONError` is raised."""
    agree(content)


@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", "a:", '":', "é"]), st.integers(0, 9)), max_size=6),
    st.sampled_from(["", " "]),
)
def test_a_member_named_twice_is_refused(pairs: list[tuple[str, int]], space: str) -> None:
    """B5: two members of one name are refused, whatever their names hold and wherever the spaces are."""
    content = "{" + ",".join(f"{json.dumps(name)}{space}:{value}" for name, value in pairs) + "}"
    names = [name for name, _ in pairs]

    if len(set(names)) == len(names):
        assert loads(content.encode()) == dict(pairs)
    else:
        with pytest.raises(JSONError, match="two members"):
            loads(content.encode())


@pytest.mark.parametrize(
    "content",
    [
        *(
            b"NaN",
            b"[Infinity]",
            b"-Infinity",
            b"1e999",
            b"-1e999",
            b"9" * 5000,
            b"9223372036854775808",
            b"-9223372036854775809",
        ),
        *("[]".encode("utf-16"), "[]".encode("utf-32"), b"\xef\xbb\xbf[]", b'"\xff"', b'"\xed\xa0\x80"', b'"\xc0\xaf"'),
        *(b'"\\ud800"', b'"\\udc00"', b'"\\ud800\\u0041"', b'"\x00"', b'"\n"', b'"\\x41"'),
        *(
            b"",
            b" ",
            b"nul",
            b"[1,]",
            b'{"a":1,}',
            b"[1] 2",
            b"'a'",
            b"// a\n1",
            b"01",
            b"1.",
            b".5",
            b"+1",
            b"\x0c[]",
            b"{1:2}",
        ),
    ],
)
def test_what_readers_disagree_about_is_refused(content: bytes) -> None:
    """B6, B8: no NaN, no number beyond 64 bits or a double, no other encoding, no lone surrogate, no bad syntax."""
    with pytest.raises(JSONError):
        loads(content)


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"9223372036854775807", 2**63 - 1),
        (b"-9223372036854775808", -(2**63)),
        (b"1.7976931348623157e308", 1.7976931348623157e308),
        (b'"\\u0000\\ud83d\\ude00"', "\x00\U0001f600"),
        (b' {"a":"b:c", "d" : {"a":1}}\n', {"a": "b:c", "d": {"a": 1}}),
    ],
)
def test_what_all_readers_agree_about_is_read(content: bytes, value: object) -> None:
    """The largest and smallest numbers, escapes, colons in texts and the same name in two objects are all right."""
    assert loads(content) == value


@pytest.mark.parametrize(
    "bomb",
    [b"[" * 100_000, b'{"a":' * 100_000, b"[{}," * 50_000, b"[" * 65 + b"]" * 65, b'{"a":' * 64 + b"[]" + b"}" * 64],
)
def test_deep_nesting_is_refused(bomb: bytes) -> None:
    """B7: one level above the bound is refused, and a hundred thousand levels cost no stack."""
    with pytest.raises(JSONError, match=r"levels|not a JSON"):
        loads(bomb)


def test_numbers_with_exponents_take_no_time_out_of_proportion() -> None:
    """B7, G5: a body full of `1e300` costs about what one of short numbers does, not a hundred times as much."""
    number, plain = (b"[" + each * 4000 + b"0]" for each in (b"1e300,", b"10.25,"))
    assert seconds(number) < 30 * seconds(plain)


def seconds(content: bytes) -> float:
    """Return the least time that it takes to read a document, of some."""
    taken = []
    for _ in range(5):
        begun = time.perf_counter()
        loads(content)
        taken.append(time.perf_counter() - begun)
    return min(taken)


def test_nesting_up_to_the_bound_is_read() -> None:
    """B7: the bound itself is all right."""
    assert depth(loads(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)) == MAX_DEPTH


def test_wide_documents_are_refused() -> None:
    """B7: more values than a policy can look at are refused."""
    assert len(loads(b"[" + b"0," * (MAX_VALUES - 2) + b"0]")) == MAX_VALUES - 1  # type: ignore[arg-type]
    with pytest.raises(JSONError, match="values"):
        loads(b"[" + b"0," * MAX_VALUES + b"0]")


def test_large_documents_are_refused_before_they_are_parsed() -> None:
    """B7: the bound on bytes comes first, and can be lowered."""
    with pytest.raises(JSONError, match="bytes"):
        loads(b'"' + b"a" * MAX_BYTES + b'"')
    with pytest.raises(JSONError, match="more than 2 bytes"):
        loads(b"[0]", max_bytes=2)


@pytest.mark.parametrize(
    "content", [b'{"s3cret":1,"s3cret":2}', b'["s3cret', b'["s3cret\xff"]', b"[1e999, s3cret]", b"s3cret"]
)
def test_an_error_does_not_repeat_the_document(content: bytes) -> None:
    """O2: what a client sent stays out of messages."""
    with pytest.raises(JSONError) as raised:
        loads(content)
    assert "s3cret" not in str(raised.value)
    assert raised.value.__cause__ is None
