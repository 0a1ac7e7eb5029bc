"""Values on their way into an engine."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from authz.cel import (
    BOOL,
    BYTES,
    DYN,
    INT,
    STRING,
    STRING_MAP,
    STRING_SET,
    VARIABLES,
    Constant,
    Environment,
    StringSet,
    list_of,
    map_of,
)
from authz.cel.bindings import Bindings
from authz.cel.rewrite import number_name

BINDINGS = Bindings(
    {
        "s": STRING,
        "l": list_of(STRING),
        "m": map_of(STRING, STRING),
        "q": map_of(STRING, list_of(STRING)),
        "b": BYTES,
        "d": DYN,
        "i": INT,
        "data.users": STRING_SET,
        "data.plans": STRING_MAP,
    }
)


@pytest.mark.parametrize(
    "values",
    [
        {"s": "a\0"},
        {"l": ["a", "b\0"]},
        {"l": ("a", "b\0")},
        {"m": {"a": "b\0"}},
        {"m": {"a\0": "b"}},
        {"q": {"a": ["b\0"]}},
        {"d": {"a": [{"b": "c\0"}]}},
        {"d": "a\0"},
        {"data.users": StringSet(["a\0"])},
        {"data.plans": Constant({"a": "\0"})},
    ],
)
def test_a_text_with_nul_is_left_out(values: dict[str, object]) -> None:
    """The C++ engine would read a part of it; a name without a value is an error."""
    assert BINDINGS.fit(values) == {}
    assert set(BINDINGS.fit({**values, "i": 1})) == {"i"}


def test_values_of_the_right_form_pass_as_they_are() -> None:
    """Nothing is copied that need not be."""
    values = {"s": "a", "l": ["a"], "m": {"a": "b"}, "q": {"a": ["b"]}, "d": {"a": 1}, "i": 1}
    fitted = BINDINGS.fit(values)
    assert all(fitted[name] is value for name, value in values.items())


def test_a_time_is_read_by_expressions_of_every_environment() -> None:
    """What binds knows more names than what compiled; the engine knows a datetime again only as a message."""
    base = Environment(VARIABLES)
    recent = base.compile("request.time == now() && request.time > timestamp('2025-01-01T00:00:00Z')", expect=BOOL)
    wider = base.extended({"variables.x": DYN})
    assert recent.holds(wider.activation({"request.time": datetime(2026, 1, 1, tzinfo=UTC)})) is True


def test_values_of_another_form_are_brought_into_it() -> None:
    """Tuples become lists, bytes a bytearray that keeps NUL; the caller's bindings stay as they were."""
    values = {"l": ("a",), "b": b"a\0b", "s": 5, "m": {"a": 1}}
    assert BINDINGS.fit(values) == {"l": ["a"], "b": bytearray(b"a\0b"), "s": 5, "m": {"a": 1}}
    assert values["l"] == ("a",)


def test_what_is_indexed_is_bound_with_its_number() -> None:
    """The value is there for what reads it whole, the number for what asks."""
    users, plans = StringSet(["a"]), Constant({"a": 1})
    fitted = BINDINGS.fit({"data.users": users, "data.plans": plans})
    assert fitted == {
        "data.users": ["a"],
        number_name("data.users"): users.number,
        "data.plans": {"a": 1},
        number_name("data.plans"): plans.number,
    }


def test_a_constant_is_looked_at_once() -> None:
    """Binding it again and again gives the same object."""
    constant = Constant(["a"] * 1000)
    assert BINDINGS.fit({"d": constant})["d"] is BINDINGS.fit({"d": constant})["d"]
