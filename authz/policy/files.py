"""Files beside the documents: schemas and data, read as plain values.

YAML, JSON, CSV and plain text, told apart by the end of the name. A path is the one that faults show; a document
names files relative to its own folder. Whatever is wrong in such a file is shown there, and a file that is missing
at the key that names it.
"""

from __future__ import annotations

import csv
import json
import math
from itertools import islice
from typing import TYPE_CHECKING, TypeVar, cast

import msgspec

from authz.errors import Fault
from authz.policy.codes import Code
from authz.policy.documents.grammar import Unfit, plain
from authz.policy.faults import Together
from authz.policy.source import Boolean, Mapping, Node, Null, Number, Sequence, Source, Text
from authz.policy.yaml import compose, decode

if TYPE_CHECKING:
    from collections import abc
    from collections.abc import Callable, Iterable, Iterator

MAX_BYTES = 16 << 20
"""The largest file of data; a list of a million networks is about this large."""

_NO_JSON = "JSON has double quotes, no comments, and no comma before a bracket"

_BETWEEN = frozenset(("", *" \t\r\n,;:\"'[]{}"))
"""What can stand beside a whole word of a file of data; nothing at its ends."""

MAX_LOOKS = 1000
"""Places at which one word is looked for: a short one is part of many."""

MAX_INTEGER = 2**63 - 1

Collected = TypeVar("Collected", Mapping, Sequence)


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What a file says: a value for YAML and JSON, a list of rows for CSV, of lines for anything else."""

    source: Source
    value: object

    def placed(self, text: str, *, again: bool = False) -> Text:
        """Return a text found in the value with its place in the file, as far as it can be found again.

        Where it stands alone comes before where it is part of another; `again` is the second such place.
        """
        places = list(islice(_alone(text, self.source.text), 1 + again)) or [max(0, self.source.text.find(text))]
        return cast("Text", Text.at(text, self.source, places[-1], places[-1] + len(text)))

    def node(self, value: object, *, placed: bool) -> Node:
        """Return a value as nodes; finding their places takes time, and is for those who have a fault to show."""
        if isinstance(value, dict):
            pairs = ((self._text(key, placed), self.node(item, placed=placed)) for key, item in value.items())
            return self._at(Mapping(pairs))
        if isinstance(value, list):
            return self._at(Sequence(self.node(item, placed=placed) for item in value))
        if isinstance(value, str):
            return self._text(value, placed)
        if value is None:
            return Null.at("null", self.source, 0, 0)
        kind = Boolean if isinstance(value, bool) else Number
        return kind.at(json.dumps(value), self.source, 0, 0)

    def _text(self, text: str, placed: bool) -> Text:
        return self.placed(text) if placed else cast("Text", Text.at(text, self.source, 0, 0))

    def _at(self, node: Collected) -> Collected:
        """Return a mapping or a list that stands where its first key or item does."""
        first = next(iter(node), None)
        node.source, node.start = self.source, first.start if isinstance(first, Node) else 0
        return node


def _alone(word: str, text: str) -> Iterator[int]:
    """Yield where a word stands between signs, at most `MAX_LOOKS` places looked at; an empty one stands nowhere."""
    start = text.find(word) if word else -1
    for _ in range(MAX_LOOKS):
        if start < 0:
            return
        end = start + len(word)
        if text[start - 1 : start] in _BETWEEN and text[end : end + 1] in _BETWEEN:
            yield start
        start = text.find(word, start + 1)


class Files:
    """The files beside one document; `named` are those it asked for that are there.

    `pause` is for whoever goes through much of what is in them.
    """

    def __init__(self, contents: abc.Mapping[str, bytes], pause: Callable[[], None] = lambda: None) -> None:
        self._contents = contents
        self.pause = pause
        self.named: dict[str, bytes] = {}

    def read(self, name: Text) -> Content:
        """Return what a file says that a document names; raise `Unfit` with every fault of it."""
        return _read(*self.raw(name), pause=self.pause)

    def description(self, path: str) -> Content:
        """Return what a file of an OpenAPI document says; raise `LookupError` or `Unfit` where it says nothing."""
        return _read(path, self.content(path), number_keys=True, pause=self.pause)

    def nodes(self, path: str) -> Node:
        """Return what a file of YAML or JSON says with the places of all of it, for those who have a fault to show."""
        composed = compose(path, self.content(path), max_bytes=MAX_BYTES, number_keys=True)
        if composed.documents and not composed.faults:
            return composed.documents[0]
        return self.description(path).node({}, placed=False)

    def raw(self, name: Text) -> tuple[str, bytes]:
        """Return the path and the bytes of a file that a document names; raise `Unfit` where it is not there."""
        path = beside(name.source.file, name)
        try:
            return path, self.content(path)
        except LookupError as error:
            raise Unfit(name.fault(Code.FILE, str(error))) from None

    def content(self, path: str) -> bytes:
        """Return the bytes of a file; raise `LookupError` where it is not there."""
        content = self._contents.get(path)
        if content is None:
            raise LookupError(f'the file "{path}" is not there')
        self.named[path] = content
        return content

    def resolver(self, file: str) -> Callable[[str], bytes]:
        """Return what finds the files that a file refers to by their paths from it."""
        return lambda name: self.content(beside(file, name))


def beside(file: str, name: str) -> str:
    """Return the path of a file by its name relative to the folder of another one."""
    folder = file.rpartition("/")[0]
    return f"{folder}/{name}" if folder else str(name)


def _read(path: str, content: bytes, *, number_keys: bool = False, pause: Callable[[], None]) -> Content:
    ending = path.rpartition(".")[2].lower()
    if ending in {"yaml", "yml"}:
        return _yaml(path, content, number_keys=number_keys, pause=pause)
    if len(content) > MAX_BYTES:
        raise Unfit(Fault(file=path, code=Code.SIZE, message=f"more than {MAX_BYTES} bytes of data"))
    source, faults = decode(path, content)
    if faults:
        raise Unfit(*faults)
    return Content(source=source, value=_READERS.get(ending, _lines)(source))


def _yaml(path: str, content: bytes, *, number_keys: bool, pause: Callable[[], None]) -> Content:
    composed = compose(path, content, max_bytes=MAX_BYTES, number_keys=number_keys, pause=pause)
    if composed.faults:
        raise Unfit(*composed.faults)
    if len(composed.documents) != 1:
        raise Unfit(Fault(file=path, code=Together.DATA, message="a file of data holds exactly one YAML document"))
    return Content(source=decode(path, content)[0], value=plain(composed.documents[0]))


def _json(source: Source) -> object:
    """Read JSON without its traps: no duplicate keys, no NaN, no integer that CEL cannot hold."""
    try:
        value: object = json.loads(
            source.text, object_pairs_hook=_object, parse_constant=_double, parse_int=_integer, parse_float=_double
        )
        json.dumps(value, ensure_ascii=False).encode()  # refuses lone surrogates, which no engine can hold
    except json.JSONDecodeError as error:
        place, why = _flaw(error)
        raise Unfit(source.fault(place, Together.DATA, f"not JSON: {why}", hint=_NO_JSON)) from None
    except (ValueError, RecursionError) as error:
        unusable = Fault(file=source.file, code=Together.DATA, message=f"not usable JSON: {error}")
        raise Unfit(*(_doubled(source) or [unusable])) from None
    return value


def _doubled(source: Source) -> list[Fault]:
    """Return a fault for every key that is given twice, at its place: JSON is YAML, whose reader knows places."""
    found = compose(source.file, source.text.encode()).faults
    return [fault for fault in found if fault.code == Code.DUPLICATE_KEY]


def _flaw(error: json.JSONDecodeError) -> tuple[int, str]:
    """Return where and why a text is no JSON: of a comma too many, the comma (as Python says it from 3.13 on)."""
    before, after = error.doc[: error.pos].rstrip(), error.doc[error.pos :]
    if before.endswith(",") and after.startswith(("]", "}")):
        return len(before) - 1, f"illegal trailing comma before end of {'array' if after[0] == ']' else 'object'}"
    return error.pos, f"{error.msg[:1].lower()}{error.msg[1:]}"


def _object(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    members: dict[str, object] = {}
    for key, value in pairs:
        if key in members:
            raise ValueError(f"the key {json.dumps(key)} is given twice")
        members[key] = value
    return members


def _double(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:30]} is no finite number")
    return value


def _integer(text: str) -> int:
    if len(text) > 20 or abs(value := int(text)) > MAX_INTEGER:
        raise ValueError(f"the integer {text[:30]} does not fit 64 bits")
    return value


def _csv(source: Source) -> list[list[str]]:
    """Read rows; empty rows say nothing."""
    rows = csv.reader(source.text.splitlines(keepends=True), strict=True)
    try:
        return [[field.strip() for field in row] for row in rows if any(row)]
    except csv.Error as error:
        message = f"not CSV: {error}, in the row that ends here"
        raise Unfit(
            Fault(file=source.file, line=rows.line_num, column=1, code=Together.DATA, message=message)
        ) from None


def _lines(source: Source) -> list[str]:
    """Read lines; blank ones and those that begin with `#` say nothing."""
    lines = map(str.strip, source.text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


_READERS: dict[str, Callable[[Source], object]] = {"json": _json, "csv": _csv}
