"""What is on the list of modules to compile can be compiled, and does then what it did before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.deploy.compilable import ROOT, listed, misread, recursive

if TYPE_CHECKING:
    from pathlib import Path

RECURSIVE = """\
from __future__ import annotations

class Tree:
    def __init__(self, children: list[Tree]) -> None:
        self.children = children

    def size(self) -> int:
        return 1 + sum([child.size() for child in self.children])

class Base:
    def shown(self) -> str:
        return self.part()

    def part(self) -> str:
        return ""

class Nested(Base):
    def part(self) -> str:
        return self.shown()

def even(number: int) -> bool:
    return number == 0 or odd(number - 1)

def odd(number: int) -> bool:
    return number != 0 and even(number - 1)

def through_python(value: object) -> int:
    return sum(map(through_python, value)) if isinstance(value, tuple) else 1

def outside(number: int) -> bool:
    return even(number)
"""


def test_what_is_listed_is_there_once_and_in_order() -> None:
    """A module that was moved would be left out of the build, or end it."""
    assert [path for path in listed() if not (ROOT / path).is_file()] == []
    assert listed() == sorted(set(listed()))


@pytest.mark.parametrize("path", listed())
def test_what_is_listed_means_the_same_when_it_is_compiled(path: str) -> None:
    """What mypyc makes something else of belongs in a module that is not on the list."""
    assert misread((ROOT / path).read_text()) == []


@pytest.mark.slow
def test_nothing_that_is_listed_calls_itself(tmp_path: Path) -> None:
    """Rows B7 and G10: C has no bound for that, so a body nested deep enough would end the process; Python's has.

    Beside the modules one is looked at that does so, in each of the ways.
    """
    made = tmp_path / "made.py"
    made.write_text(RECURSIVE)
    found = recursive([*(str(ROOT / path) for path in listed()), str(made)])
    planted = {name: found.pop(name) for name in list(found) if name.startswith("made.")}
    assert found == {}
    assert planted == {
        "made.Tree.size": [],
        "made.Base.shown": ["made.Nested.part"],
        "made.Nested.part": ["made.Base.shown"],
        "made.even": ["made.odd"],
        "made.odd": ["made.even"],
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("class A(Struct, frozen=True): ...", ["line 1: class A is no Struct any more",
                                               "line 1: class A loses its keywords: frozen"]),
        ("class A(metaclass=M): ...", ["line 1: class A loses its keywords: metaclass"]),
        ("class A:\n  def b(self): ...\n  c = b", ["line 3: class A loses the second name of b"]),
        ("def new(cls):\n  return cls.__new__(cls)", ["line 2: __new__ calls __init__, without arguments"]),
        ("self._thread = 1", ["line 1: the attribute _thread is __thread in C, a word of its own"]),
        ("def a(b: float):\n  return type(b) is int", ["line 2: b is a double in C, also where it was an integer"]),
        ("def a(b: object):\n  return isinstance(b, int)", []),
        ("class A(NamedTuple):\n  b: int", []),
        ("class A(StrEnum):\n  B = 'b'", []),
        ("class A(Generic[T]):\n  def b(self): ...", []),
    ],
)  # fmt: skip
def test_what_would_be_something_else_is_told(text: str, told: list[str]) -> None:
    """With its line; named tuples and enums stay what they are."""
    assert misread(text) == told
