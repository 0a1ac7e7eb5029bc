"""Tests of the words documents are made of."""

from __future__ import annotations

from collections.abc import Iterator

import pydantic
import pytest

from authz.errors import Fault
from authz.policy.codes import Code
from authz.policy.documents.values import Checked, Maybe, Name, OneOrMany, Part, exactly_one, nearest, shared, taken
from authz.policy.source import Mapping, Null, Scalar, Source, Text
from authz.policy.yaml import compose


class Sample(Part):
    """A part for tests."""

    one: Maybe[Name] = None
    many: OneOrMany[Name] = ()


def text(value: str, kind: type[Scalar] = Text, file: str = "p.yaml") -> Scalar:
    """Return a scalar as if it stood alone in a file."""
    return kind.at(value, Source(file, value), 0, len(value))


def test_a_value_keeps_its_place() -> None:
    """What is validated is the very scalar that was written."""
    written = text("a")

    assert Sample.model_validate({"one": written}).one is written


def test_left_out_is_none_and_empty_is_a_fault() -> None:
    """A key that is not there is `None`; a key with nothing behind it is refused."""
    assert Sample.model_validate({}).one is None
    with pytest.raises(pydantic.ValidationError):
        Sample.model_validate({"one": text("", Null)})
    with pytest.raises(pydantic.ValidationError):
        Sample.model_validate({"one": None})


def test_one_value_is_a_list_of_one() -> None:
    """Where one or several may stand, one is a tuple of one."""
    assert Sample.model_validate({"many": text("a")}).many == ("a",)
    assert Sample.model_validate({"many": [text("a"), text("b")]}).many == ("a", "b")


class Pair(Checked):
    """A part whose two keys exclude each other."""

    one: Maybe[Name] = None
    two: Maybe[Name] = None

    @classmethod
    def conflicts(cls, node: Mapping) -> Iterator[Fault]:
        """Yield a fault unless exactly one is there."""
        yield from exactly_one(node, ("one", "two"), "a pair")


def test_what_keys_say_against_each_other_is_never_lost() -> None:
    """Conflicts go to the reader that collects faults; where nobody collects, they are raised."""
    both = compose("p.yaml", b"one: a\ntwo: b\n").documents[0]
    collected: list[Fault] = []

    Pair.model_validate(both, context=collected)
    assert [fault.code for fault in collected] == [Code.TOGETHER]
    with pytest.raises(pydantic.ValidationError):
        Pair.model_validate(both)


def test_plain_strings_are_no_scalars() -> None:
    """Only what was read from a file fits: a value without a place could not be pointed at."""
    with pytest.raises(pydantic.ValidationError):
        Sample.model_validate({"one": "a"})


def test_the_nearest_word_is_found_in_any_case() -> None:
    """One letter more or less and another case still find the word; another word finds nothing."""
    known = ["allow", "apiVersion", "request_headers"]

    assert nearest("alow", known) == "allow"
    assert nearest("APIVERSION", known) == "apiVersion"
    assert nearest("requestHeaders", known) == "request_headers"
    assert nearest("zzz", known) == ""


def test_a_name_that_is_taken_names_the_first() -> None:
    """L7: inside one file the line is enough, across files the file is named, too."""
    first, second, other = text("a"), text("a"), text("a", file="q.yaml")
    assert isinstance(first, Text)
    assert isinstance(second, Text)
    assert isinstance(other, Text)
    second.source = first.source

    assert taken(first, second, "rule").message == 'rule "a" is already in line 1'
    assert taken(first, other, "Policy").message == 'Policy "a" is already in p.yaml:1'
    assert taken(first, other, "Policy").file == "q.yaml"


def test_a_shared_default_is_one_value() -> None:
    """A frozen default is not copied for every document."""
    value = Sample()

    assert shared(value)() is value
