"""Large values asked by number."""

from __future__ import annotations

import gc
from timeit import timeit

import pytest

from authz.cel.indexes import Constant, StringSet, all_in_strings, any_in_strings, entry, has_entry, in_strings, indexed
from authz.cel.values import NoValueError


def test_a_value_is_found_by_its_number_while_it_is_kept() -> None:
    """A number is good as long as the value lives, and for its own kind only."""
    kept, lost = StringSet(["a"]), StringSet(["b"])
    number = lost.number
    assert indexed(kept.number, StringSet) is kept
    del lost
    gc.collect()
    with pytest.raises(NoValueError):
        indexed(number, StringSet)
    with pytest.raises(NoValueError):
        indexed(kept.number, Constant)


def test_no_two_values_have_one_number() -> None:
    """Numbers are never used again."""
    numbers = {StringSet(["a"]).number for _ in range(100)}
    assert len(numbers) == 100


def test_a_set_of_strings_holds_strings_only() -> None:
    """Nothing but a text is ever in it, and a text that holds NUL is no other text."""
    users = StringSet(["ann", "bob\0x"])
    assert in_strings("ann", users.number)
    for other in ("bob", "", None, 1, True, b"ann", ["ann"], {"ann": 1}):
        assert not in_strings(other, users.number)
    assert any_in_strings(["x", "ann"], users.number)
    assert not any_in_strings([], users.number)
    assert all_in_strings(["ann"], users.number)
    assert all_in_strings([], users.number)
    assert not all_in_strings(["ann", "x"], users.number)


def test_an_entry_is_the_value_under_a_key() -> None:
    """A key that is missing, or no text, is an error; whether it is there is an answer."""
    plans = Constant({"acme": {"plan": "gold"}})
    assert entry("acme", plans.number) == {"plan": "gold"}
    assert has_entry("acme", plans.number)
    for missing in ("x", 1, None):
        assert not has_entry(missing, plans.number)
        with pytest.raises(NoValueError):
            entry(missing, plans.number)


def test_a_constant_that_no_engine_may_see_is_an_error() -> None:
    """Data with NUL in it, and data that is no map, are not asked for keys."""
    for unfit in (Constant({"a": "b\0"}), Constant(["a"])):
        with pytest.raises(NoValueError):
            has_entry("a", unfit.number)


def test_asking_does_not_depend_on_size() -> None:
    """Ten thousand entries cost what ten do."""
    small, large = (StringSet(str(number) for number in range(size)) for size in (10, 10_000))
    cost = {name: min(timeit(lambda s=s: in_strings("x", s.number), number=2_000) for _ in range(5)) for name, s in
            (("small", small), ("large", large))}  # fmt: skip
    assert cost["large"] < 10 * cost["small"]
