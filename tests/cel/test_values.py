"""Values on their way out of an engine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.struct_pb2 import Struct
from hypothesis import given
from hypothesis import strategies as st

from authz.cel import EvaluationError
from authz.cel.values import MAX_ELEMENTS, MAX_TEXT, NoValueError, equal, plain, within

values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.floats(allow_nan=False, width=16), st.text(max_size=3)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)),
    max_leaves=8,
)


def test_an_error_is_neither_true_nor_false() -> None:
    """Whoever asks an error for its truth is told that it has none (I4)."""
    with pytest.raises(TypeError):
        bool(EvaluationError("x"))
    with pytest.raises(TypeError):
        assert not EvaluationError("x")


def test_plain_values_stay_and_bytes_are_bytes() -> None:
    """What leaves is plain Python, at every level."""
    value = [None, True, 1, 1.5, "a", bytearray(b"b"), datetime(2026, 1, 1, tzinfo=UTC), timedelta(1), {"k": [b"c"]}]
    made = plain(value)
    assert made == [None, True, 1, 1.5, "a", b"b", datetime(2026, 1, 1, tzinfo=UTC), timedelta(1), {"k": [b"c"]}]
    assert type(made[5]) is bytes  # type: ignore[index]


def test_a_message_becomes_a_dict() -> None:
    """A protobuf message leaves as the map it stands for."""
    message = Struct()
    message["a"] = [1, "b"]
    assert plain(message) == {"a": [1, "b"]}


@pytest.mark.parametrize(
    "value",
    [object(), [object()], {"a": {1, 2}}, ValueError("inside"), [[ValueError("inside")]], 2**64, [-(2**63) - 1], int],
)
def test_anything_else_is_no_value(value: object) -> None:
    """An exception among the results, or a number no engine has, makes the whole an error (C3)."""
    with pytest.raises(NoValueError):
        plain(value)


def test_what_leaves_is_bounded() -> None:
    """Texts, numbers of elements and depth have limits (C12)."""
    deep: object = "x"
    for _ in range(100):
        deep = [deep]
    for large in ("x" * (MAX_TEXT + 1), b"x" * (MAX_TEXT + 1), [0] * (MAX_ELEMENTS + 1), deep):
        with pytest.raises(NoValueError):
            plain(large)
    assert within("x" * MAX_TEXT)


@given(values, values)
def test_equality_is_symmetric_and_values_equal_themselves(left: object, right: object) -> None:
    """Equality is an equivalence on what is no NaN."""
    assert equal(left, left)
    assert equal(left, right) is equal(right, left)


def test_a_bool_is_no_number_at_any_depth() -> None:
    """Numbers compare by value, and a bool with nothing but a bool (C6)."""
    assert equal(1, 1.0)
    assert not equal(1, True)
    assert not equal([0], [False])
    assert not equal({"a": {"b": 1}}, {"a": {"b": True}})
    assert equal({1: "a"}, {1.0: "a"})
    assert not equal({1: "a"}, {True: "a"})
    assert not equal(float("nan"), float("nan"))
    assert not equal("a", b"a")
    assert not equal([], {})
