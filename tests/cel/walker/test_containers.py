"""Selection, index, presence and membership in the Python engine (threats C4, C5, C6)."""

from __future__ import annotations

import pytest

from authz.cel.values import NoValueError
from authz.cel.walker.containers import contains, has, index, made_list, made_map, optional_index, select
from authz.cel.walker.values import NOTHING, Optional, Uint


@pytest.mark.parametrize("key", [-1, 3, 1.5, True, "0", None, float("nan"), float("inf")])
def test_an_index_that_is_not_there_is_an_error(key: object) -> None:
    """Python's negative and boolean indexes are none of CEL's."""
    with pytest.raises(NoValueError):
        index([1, 2, 3], key)


def test_an_index_is_a_whole_number_of_any_type() -> None:
    """An int, a uint and a whole double name an element."""
    assert index([1, 2, 3], 1) == index([1, 2, 3], Uint(1)) == index([1, 2, 3], 1.0) == 2


def test_a_key_is_found_by_its_value_and_kind() -> None:
    """A bool finds only a bool, a number any number of its value."""
    assert index({1: "a"}, 1.0) == "a"
    assert index({True: "a"}, True) == "a"
    for container, key in (({1: "a"}, True), ({True: "a"}, 1), ({"1": "a"}, 1), ({}, "a")):
        with pytest.raises(NoValueError):
            index(container, key)
        assert not contains(key, container)


def test_presence_is_asked_of_what_has_fields() -> None:
    """What is neither map nor message has no presence to ask for."""
    assert has({"a": None}, "a")
    assert not has({}, "a")
    assert not has(NOTHING, "a")
    for operand in (None, 1, "a", [1]):
        with pytest.raises(NoValueError):
            has(operand, "a")
        with pytest.raises(NoValueError):
            select(operand, "a")


def test_an_optional_index_is_empty_where_the_other_is_an_error() -> None:
    """For want of the key or the index only; a container of another kind stays an error."""
    assert optional_index({"a": 1}, "a") == Optional(present=True, content=1)
    assert optional_index({"a": 1}, "b") is NOTHING
    assert optional_index([1], 5) is NOTHING
    assert optional_index(NOTHING, "a") is NOTHING
    for container, key in ((1, "a"), (None, "a"), ([1], "a"), ([1], 0.0)):
        with pytest.raises(NoValueError):
            optional_index(container, key)


def test_membership_is_by_equality() -> None:
    """A list holds what is equal to one of its elements."""
    assert contains(1, [1.0])
    assert not contains(True, [1])
    for container in ("abc", 1, None):
        with pytest.raises(NoValueError):
            contains("a", container)
    with pytest.raises(NoValueError):
        contains(None, {})


def test_a_map_has_keys_that_can_be_keys_once() -> None:
    """Null, lists and doubles are no keys, and no key comes twice."""
    assert made_map([("a", 1, False), (True, 2, False), (5, 3, False)]) == {"a": 1, True: 2, 5: 3}
    for keys in (["a", "a"], [None], [1.5], [[]]):
        with pytest.raises(NoValueError):
            made_map((key, 1, False) for key in keys)


def test_optional_elements_are_there_or_not() -> None:
    """`[?x]` and `{?k: x}` take what an optional has; anything else is an error."""
    one = Optional(present=True, content=1)
    assert made_list([(one, True), (NOTHING, True), (2, False)]) == [1, 2]
    assert made_map([("a", one, True), ("b", NOTHING, True)]) == {"a": 1}
    with pytest.raises(NoValueError):
        made_list([(1, True)])
