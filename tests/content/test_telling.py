"""What is wrong with a body is told in a time that its sender does not choose."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from authz.content.schema import MAX_FAULTS, WHOLE, compiled
from authz.content.telling import LOOKS, Part, Reach, reaches
from authz.model import Unmet

if TYPE_CHECKING:
    from collections.abc import Callable

ANY = {"$ref": "#/$defs/any"}
LISTS = {**ANY, "$defs": {"any": {"anyOf": [{"type": "array", "items": ANY}, {"items": ANY, "type": "array"}]}}}
KINDS = [{"properties": {"of": ANY, "is": {"const": kind}}, "required": ["is"]} for kind in ("and", "or", "not")]
FILTER = {**ANY, "$defs": {"any": {"oneOf": KINDS}}}
TREE = {**ANY, "$defs": {"any": {"properties": {"left": ANY, "right": ANY, "count": {"type": "integer"}}}}}


def nested(levels: int, value: object, turn: Callable[[Any], object]) -> object:
    """Return a value so many levels down."""
    for _ in range(levels):
        value = turn(value)
    return value


LARGE: dict[str, tuple[dict[str, Any], object]] = {
    "a long list": ({"items": {"type": "string"}}, list(range(100_000))),
    "a long list below alternatives": ({"anyOf": [{"items": {"enum": ["a"]}}] * 5}, ["x"] * 100_000),
    "many members": ({"additionalProperties": {"type": "string"}}, {str(n): n for n in range(50_000)}),
    "lists of alternatives": (LISTS, nested(60, 0, lambda value: [value])),
    "objects of alternatives": (FILTER, nested(30, {"is": "xor"}, lambda value: {"is": "and", "of": value})),
}


@pytest.mark.parametrize("name", LARGE)
def test_what_is_wrong_is_told_as_soon_of_the_large_as_of_the_small(name: str) -> None:
    """B7: it took a second and a half for a hundred thousand numbers, and for ever for sixty brackets."""
    schema, value = LARGE[name]
    validator, small = compiled(schema), compiled({"items": {"type": "string"}})
    begun = time.thread_time()
    for _ in range(20):
        small.unmet(list(range(LOOKS - 1)))
    usual = time.thread_time() - begun
    begun = time.thread_time()
    assert validator.unmet(value)
    assert time.thread_time() - begun < 5 * usual


def test_a_large_value_is_told_as_far_as_a_part_of_it_shows() -> None:
    """The faults of its first elements, and none that only the part has."""
    schema = {"items": {"type": "string"}, "minItems": 1000}
    assert len(compiled(schema).unmet([1] * 1000)) == MAX_FAULTS
    assert {each.keyword for each in compiled(schema).unmet([1] * 1000)} == {"type"}
    late = ["a"] * 100_000 + [1]
    assert compiled(schema).unmet(late) == (Unmet(part="body", pointer="", keyword=WHOLE),)


def test_a_small_value_is_told_whole() -> None:
    """Also where a schema recurs, as long as it does not through alternatives."""
    tree = nested(30, {"count": "many"}, lambda value: {"left": value})
    assert compiled(TREE).unmet(tree) == (Unmet(part="body", pointer="/left" * 30 + "/count", keyword="type"),)
    assert compiled({"properties": {"a": {"anyOf": [{"type": "string"}, {"type": "null"}]}}}).unmet({"a": 1}) == (
        Unmet(part="body", pointer="/a", keyword="anyOf"),
    )
    assert compiled(FILTER).unmet({"is": "xor"})[0].keyword == "oneOf"


def test_how_much_is_looked_at_follows_from_the_schema() -> None:
    """Fewer values the more alternatives there are, and fewer levels where it recurs through them."""
    assert reaches({"": TREE})(TREE) == Reach(values=LOOKS, levels=64)
    assert reaches({"": True})(True) == Reach(values=LOOKS, levels=64)
    wide: dict[str, Any]
    wide, deep = {"anyOf": [{}] * 7}, reaches({"": FILTER})(FILTER)
    assert reaches({"": wide})(wide) == Reach(values=LOOKS // 8, levels=64)
    assert deep.levels < 6
    assert deep.values * 4**deep.levels <= LOOKS


def test_a_part_loses_what_is_beyond_its_reach() -> None:
    """What lost something, and all above it, tell of no faults."""
    part = Part([{"a": [1, 2]}, [[[3]]], 4], Reach(values=7, levels=2))
    assert part.value == [{"a": []}, [[]], 4]
    told = {path: part.tells(_At(path)) for path in ((), (0,), (0, "a"), (1, 0), (2,))}
    assert told == {(): False, (0,): False, (0, "a"): False, (1, 0): False, (2,): True}


class _At:
    def __init__(self, path: tuple[str | int, ...]) -> None:
        self.instance_path = path
