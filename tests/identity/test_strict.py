"""JSON that two readers could read differently is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.identity.strict import DEEPEST, read_object


@pytest.mark.parametrize("content", [
    b'{"sub": "alice", "sub": "mallory"}',
    b'{"a": {"b": 1, "b": 2}}',
    b'{"exp": NaN}',
    b'{"exp": Infinity}',
    b'["a"]',
    b'"a"',
    b"",
    b"\xff",
    b'\xef\xbb\xbf{"a": 1}',
    '{"a": 1}'.encode("utf-16"),
    b'{"a": "\\ud800"}',
    b'{"a": 1} trailing',
    b'{"a":' * (DEEPEST + 1) + b"1" + b"}" * (DEEPEST + 1),
    b'{"a":' + b"[" * 100_000,
])  # fmt: skip
def test_it_is_refused(content: bytes) -> None:
    """Names that stand twice, numbers that are none, other encodings, depth without bound."""
    with pytest.raises(ValueError):  # noqa: PT011 - each reader's own words; that it is refused is what counts
        read_object(content)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.none() | st.booleans() | st.integers()))
def test_what_json_writes_is_read(value: dict[str, object]) -> None:
    """Every object reads back as it was written, escaped or not."""
    assert read_object(json.dumps(value).encode()) == value
    assert read_object(json.dumps(value, ensure_ascii=False).encode()) == value
