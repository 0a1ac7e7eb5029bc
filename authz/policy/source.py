"""Where a text came from, and where inside it a fault lies.

A policy is text somebody wrote; every complaint about it must point at what they wrote. So the nodes of a YAML
document know their place: `Mapping` is a dict and `Sequence` a list, and a scalar is a string: `Text` where the author
wrote a text, `Number`, `Boolean` and `Null` where YAML 1.2's core schema reads the plain scalar as such. Nothing is
converted here: a number keeps its digits until a document says that a number is wanted.

A place is an offset into the file, turned into line and column only when a fault is made. An expression can span
lines, be quoted or stand in a block; `Scalar.fault` maps a line and column inside the value back to the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import ClassVar, cast

import msgspec

from authz.errors import Fault

_ESCAPE = re.compile(r"\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)|.", re.DOTALL)
_DOUBLED = re.compile("''|.", re.DOTALL)
_CHARACTER = re.compile(".", re.DOTALL)
_WHITE = re.compile(r"\s|\\(?:[\s_LNPnrtvf]|x(?:0[9-dA-D]|20|85|[aA]0))")
"""A character of white space, as it may be written in double quotes; a break behind a backslash is none at all."""

_HEADER = re.compile(r"[|>][^\n]*\n")

_WIDEST = 400
"""The longest source line a fault shows; a longer one is no line a person wrote."""


class Source(msgspec.Struct, frozen=True):
    """The text of one file; `file` is its path as faults show it."""

    file: str
    text: str

    def place(self, offset: int) -> tuple[int, int]:
        """Return line and column of an offset, both from 1."""
        return self.text.count("\n", 0, offset) + 1, offset - self.text.rfind("\n", 0, offset)

    def fault(self, offset: int, code: str, message: str, *, hint: str = "", length: int = 1) -> Fault:
        """Return a fault at an offset, with its source line; `length` is cut at the end of the line."""
        line, column = self.place(offset)
        start = offset - column + 1
        end = self.text.find("\n", offset)
        text = self.text[start : end if end >= 0 else len(self.text)].rstrip("\r")
        length = max(1, min(length, len(text) - column + 1))
        if len(text) > _WIDEST:
            text, length = "", 1
        return Fault(
            file=self.file, line=line, column=column, code=code, message=message, hint=hint, text=text, length=length
        )

    def unshown(self, offset: int, code: str, message: str, *, hint: str = "") -> Fault:
        """Return a fault without its source line, which holds what must not be shown."""
        line, column = self.place(offset)
        return Fault(file=self.file, line=line, column=column, code=code, message=message, hint=hint)


class Scalar(str):
    """A scalar of a YAML document: its value, and the span `start:end` of `source.text` it was written in."""

    __slots__ = ("end", "source", "start")
    SHOWN: ClassVar = "a scalar"
    source: Source
    start: int
    end: int

    @classmethod
    def at(cls, value: str, source: Source, start: int, end: int) -> Scalar:
        """Return `value` as written in `source.text[start:end]`."""
        scalar = cls(value)
        scalar.source, scalar.start, scalar.end = source, start, end
        return scalar

    @property
    def raw(self) -> str:
        """What the author wrote, with quotes and block header."""
        return self.source.text[self.start : self.end]

    def fault(
        self, code: str, message: str, *, hint: str = "", line: int = 1, column: int = 1, length: int | None = None
    ) -> Fault:
        """Return a fault at a line and column (from 1) inside the value; without `length` the whole scalar's line."""
        if length is None:
            return self.source.fault(self.start, code, message, hint=hint, length=len(self.raw.rstrip()))
        return self.source.fault(self._offset(line, column), code, message, hint=hint, length=length)

    def _offset(self, line: int, column: int) -> int:
        """Return where a place inside the value stands in the file."""
        raw = self.raw
        if raw.startswith("|"):
            return self._offset_in_block(line, column)
        if line > 1 or "\n" in raw:
            return self._offset_in_folds(line, column)
        if raw.startswith('"'):
            return self.start + _quoted(_ESCAPE.findall(raw[1:-1]), column)
        if raw.startswith("'"):
            return self.start + _quoted(_DOUBLED.findall(raw[1:-1]), column)
        return self.start + column - 1

    def _offset_in_folds(self, line: int, column: int) -> int:
        """Return the same where lines are folded: white space can be written in many ways there, all else in one."""
        raw, lines = self.raw, self.split("\n")
        header, quotes = _HEADER.match(raw), int(raw[:1] in {'"', "'"})
        written = {'"': _ESCAPE, "'": _DOUBLED}.get(raw[:1], _CHARACTER)
        value = "\n".join([*lines[: line - 1], lines[line - 1][: column - 1]])
        end = len(raw.rstrip()) - quotes
        marks = written.finditer(raw, header.end() if header else quotes, end)
        dark = (mark.start() for mark in marks if not _WHITE.fullmatch(mark[0]))
        return self.start + next(islice(dark, len("".join(value.split())), None), end)

    def _offset_in_block(self, line: int, column: int) -> int:
        header = _HEADER.match(self.raw)
        if header is None:
            return self.start
        written = self.raw[header.end() :].split("\n")
        index, value = next((pair for pair in enumerate(self.split("\n")) if pair[1]), (0, ""))
        indent = len(written[index].rstrip("\r")) - len(value)
        before = sum(len(text) + 1 for text in written[: line - 1])
        return self.start + header.end() + before + indent + column - 1


def _quoted(characters: list[str], column: int) -> int:
    """Return how far from the opening quote the character at `column` is written."""
    return 1 + sum(map(len, characters[: column - 1]))


class Text(Scalar):
    """A scalar that is a text: quoted, in a block, or plain and nothing else."""

    __slots__ = ()
    SHOWN = "a text"


class Number(Scalar):
    """A plain scalar that reads as a number."""

    __slots__ = ()
    SHOWN = "a number"


class Boolean(Scalar):
    """A plain `true` or `false`."""

    __slots__ = ()
    SHOWN = "true or false"


class Null(Scalar):
    """A plain `null` or `~`, or nothing where a value should be."""

    __slots__ = ()
    SHOWN = "nothing"


class Mapping(dict[str, "Node"]):
    """A mapping of a YAML document; its keys know their places too."""

    __slots__ = ("source", "start")
    SHOWN: ClassVar = "a mapping"
    source: Source
    start: int

    def written(self) -> Iterator[Text]:
        """Return the keys as they are written."""
        return cast("Iterator[Text]", iter(self))

    def key(self, name: str) -> Text:
        """Return the key `name` as it is written; raise `StopIteration` where it is not there."""
        return next(key for key in self.written() if key == name)

    def fault(self, code: str, message: str, *, hint: str = "") -> Fault:
        """Return a fault at the start of the mapping."""
        return self.source.fault(self.start, code, message, hint=hint)


class Sequence(list["Node"]):
    """A sequence of a YAML document."""

    __slots__ = ("source", "start")
    SHOWN: ClassVar = "a list"
    source: Source
    start: int

    def fault(self, code: str, message: str, *, hint: str = "") -> Fault:
        """Return a fault at the start of the sequence."""
        return self.source.fault(self.start, code, message, hint=hint)


Node = Scalar | Mapping | Sequence


def quoted(text: str) -> str:
    """Return a text as a message shows it: in quotes, escaped, cut at 60 characters."""
    shown = text if len(text) <= 60 else text[:57] + "..."
    return '"' + shown.encode("unicode_escape").decode("ascii").replace('"', '\\"') + '"'
