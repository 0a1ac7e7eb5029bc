"""Making a value fit for an engine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

import pytest
from google.protobuf.struct_pb2 import Struct
from hypothesis import given
from hypothesis import strategies as st

from authz.cel.fitting import UNFIT, fit, holds_nul

texts = st.text(alphabet="a\0\\u0é", max_size=6)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=6,
)


class Colour(StrEnum):
    """An enumeration of texts."""

    RED = "red"


@given(values)
def test_a_value_is_unfit_exactly_if_it_holds_nul(value: object) -> None:
    """NUL is found in every text at every level, keys included, and a backslash is no NUL."""

    def nul(part: object) -> bool:
        if isinstance(part, str):
            return "\0" in part
        if isinstance(part, dict):
            return any(map(nul, part)) or any(map(nul, part.values()))
        return isinstance(part, list) and any(map(nul, part))

    assert holds_nul(value) is nul(value)
    assert (fit(value) is UNFIT) is nul(value)


def test_what_engines_do_not_know_becomes_what_they_do() -> None:
    """Tuples, read-only maps and members of enumerations are turned into built-in values."""
    assert fit(("a", "b")) == ["a", "b"]
    assert type(fit(MappingProxyType({"a": 1}))) is dict
    assert type(fit(Colour.RED)) is str
    assert fit(b"a\0b") == bytearray(b"a\0b")
    assert fit(datetime(2026, 1, 1, tzinfo=UTC)).seconds == 1_767_225_600  # type: ignore[attr-defined]
    assert fit(timedelta(seconds=5)).seconds == 5  # type: ignore[attr-defined]


@pytest.mark.parametrize("value", [None, True, 1, 1.5, "a", ["a", 1], {"a": {"b": None}}, Struct()])
def test_what_is_fit_is_not_copied(value: object) -> None:
    """A value that needs no change is the same object."""
    assert fit(value) is value


def test_what_is_too_deep_to_look_at_is_unfit() -> None:
    """A value nobody can look through is not let through."""
    deep: object = "x"
    for _ in range(10_000):
        deep = [deep]
    assert fit(deep) is UNFIT
