"""YAML text to nodes that know their places, with YAML's traps closed.

What two readers could read differently is a fault, not a guess: duplicate keys, anchors, aliases, merges, tags,
directives, keys that are no texts, `True`, `012`, invisible characters. What YAML 1.1 would convert (`no`, `22:22`,
`2026-11-23`) stays the text it is. Every document of a file is composed, also behind a broken one, and every fault
is kept.

libyaml scans (its parser keeps no C stack, and stops at our depth); the nodes are built here from its events, because
its own composer hides anchors and resolves plain scalars as YAML 1.1.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import msgspec
import yaml
from yaml.cyaml import CParser  # type: ignore[attr-defined] # its stub leaves out what it defines
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)

from authz.errors import Fault
from authz.policy.codes import Code
from authz.policy.source import Boolean, Mapping, Node, Null, Number, Scalar, Sequence, Source, Text, quoted

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_BYTES = 1 << 20
"""The largest file that is read as YAML: etcd keeps no larger ConfigMap."""

MAX_DEPTH = 64
"""Levels of nesting; deeper ones end the reading of a file."""

MAX_FAULTS = 100
"""Faults of one file that are told; more of them help nobody."""

_Event: TypeAlias = Any  # libyaml's: start_mark and end_mark, by kind also anchor, tag, value and style

_CORE = re.compile(
    r"(?P<null>|~|null|Null|NULL)|(?P<boolean>true|false)"
    r"|(?P<ambiguous>True|TRUE|False|FALSE|[-+]?0[0-9_]+|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))"
    r"|(?P<number>0o[0-7]+|0x[0-9a-fA-F]+|[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)"
)
_KINDS: dict[str | None, type[Scalar]] = {None: Text, "null": Null, "boolean": Boolean, "number": Number}

_FORBIDDEN = re.compile(
    "["
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff"  # what YAML calls not printable
    "\ufeff\u2028\u2029"  # a byte order mark; line breaks in YAML 1.1 only
    "\u202a-\u202e\u2066-\u2069"  # bidirectional overrides: text that reads otherwise than it is
    "]"
)
_LONE_RETURN = re.compile(r"\r(?!\n)")

_HINTS = {
    "mapping values are not allowed in this context": "quote a text that has ': ' in it, or mend the indentation",
    "could not find expected ':'": "a key is missing its ':', or the indentation is wrong",
    "did not find expected key": "check the indentation; quote the whole of a text that begins with a quote",
    "did not find expected '-' indicator": "check the indentation of the list",
    "did not find expected alphabetic or numeric character": "quote the whole of a text that begins with '!'",
    "found character that cannot start any token": "quote the whole of a text that begins with a sign",
    "did not find expected ',' or ']'": "a list in brackets is not closed",
    "did not find expected ',' or '}'": "braces are not closed, or a text in them or beginning with '{' needs quotes",
}


class Composed(msgspec.Struct, frozen=True, kw_only=True):
    """The documents of a file that are not empty, and its faults.

    `broken` are the places among `documents` of those that have faults, and are worth reading only for more of them;
    one that lost a part (an alias, a merge) is left out altogether.
    """

    documents: tuple[Node, ...] = ()
    broken: frozenset[int] = frozenset()
    faults: tuple[Fault, ...] = ()


def compose(
    file: str,
    content: bytes,
    *,
    max_bytes: int = MAX_BYTES,
    number_keys: bool = False,
    pause: Callable[[], None] = lambda: None,
) -> Composed:
    """Return the documents of a file as nodes, with every fault that parsing can see.

    With `number_keys` a key may look like a number and is a text all the same, as in OpenAPI: `200: {...}`.
    `pause` is called between items of any collection.
    """
    if len(content) > max_bytes:
        message = f"the file has {len(content)} bytes; at most {max_bytes} are read"
        return Composed(faults=(Fault(file=file, code=Code.SIZE, message=message),))
    source, faults = decode(file, content)
    if faults:
        return Composed(faults=faults)
    composer = _Composer(source, number_keys=number_keys, pause=pause)
    composer.run()
    return Composed(
        documents=tuple(composer.documents), broken=frozenset(composer.broken), faults=tuple(composer.faults)
    )


def decode(file: str, content: bytes) -> tuple[Source, tuple[Fault, ...]]:
    """Return the text of a file, and what in it no author means to write."""
    try:
        source = Source(file, content.decode())
    except UnicodeDecodeError as error:
        source = Source(file, content.decode(errors="replace"))
        offset = len(content[: error.start].decode())
        return source, (source.fault(offset, Code.ENCODING, "the file is not UTF-8"),)
    if found := _FORBIDDEN.search(source.text) or _LONE_RETURN.search(source.text):
        message = f"the character U+{ord(found[0]):04X} does not belong in a policy"
        hint = (
            "save the file without a byte order mark" if found[0] == "\ufeff" else "remove it, or escape it in quotes"
        )
        # Without the source line: printing the character would be the harm it does.
        return source, (source.unshown(found.start(), Code.ENCODING, message, hint=hint),)
    return source, ()


class _GivenUpError(Exception):
    """Nothing behind this place is composed."""


class _Composer:
    """Builds the nodes of one file from libyaml's events."""

    def __init__(self, source: Source, *, number_keys: bool, pause: Callable[[], None]) -> None:
        self._number_keys = number_keys
        self._pause = pause
        self.documents: list[Node] = []
        self.broken: list[int] = []
        self.faults: list[Fault] = []
        self._source = source
        self._parser: Any = None
        self._base = 0
        self._depth = 0
        self._damaged = False

    def run(self) -> None:
        """Compose every document; behind one that cannot be scanned, go on at the next `---`."""
        try:
            while self._stream():
                pass
        except _GivenUpError:
            return

    def _stream(self) -> bool:
        """Compose the documents from `_base` on; return whether any are left behind a broken one."""
        self._parser = CParser(self._source.text[self._base :])
        try:
            while not isinstance(event := self._parser.get_event(), StreamEndEvent):
                if isinstance(event, DocumentStartEvent):
                    self._document(event)
        except yaml.MarkedYAMLError as error:
            return self._skip(self._syntax(error))
        finally:
            self._parser.dispose()
        return False

    def _skip(self, broken: int) -> bool:
        """Move to the first document that begins behind `broken`; return whether there is one."""
        self._base = self._source.text.find("\n---", max(broken - 1, self._base)) + 1
        return self._base > 0

    def _syntax(self, error: yaml.MarkedYAMLError) -> int:
        """Keep what the scanner says; return where it stopped."""
        mark = error.problem_mark or error.context_mark
        offset = min(self._base + (mark.index if mark else 0), len(self._source.text))
        problem = str(error.problem)
        if self._source.text[offset : offset + 1] == "\t" and "cannot start any token" in problem:
            problem, hint = "a tab cannot indent", "indent with spaces"
        else:
            hint = _HINTS.get(problem, "")
        self._keep(self._source.fault(offset, Code.SYNTAX, problem, hint=hint))
        return offset

    def _document(self, start: DocumentStartEvent) -> None:
        self._damaged, self._depth = False, 0
        faults = len(self.faults)
        if start.version or start.tags:
            self._note(start, Code.TAG, "directives are not read", "remove the line that begins with %")
        node = self._node(self._parser.get_event())
        self._parser.get_event()
        if self._damaged or isinstance(node, Null):
            return
        if len(self.faults) > faults:
            self.broken.append(len(self.documents))
        self.documents.append(node)

    def _node(self, event: _Event) -> Node:
        if isinstance(event, AliasEvent):
            return self._alias(event)
        if event.anchor is not None:
            self._note(event, Code.ALIAS, "anchors are not read", "remove it, and write out what it names")
        if event.tag is not None:
            if isinstance(event, ScalarEvent) and event.tag.startswith("!"):
                return self._unquoted(event)
            self._note(event, Code.TAG, "tags are not read", "remove it; quote a text that looks like something else")
        return self._scalar(event) if isinstance(event, ScalarEvent) else self._collection(event)

    def _unquoted(self, event: _Event) -> Scalar:
        """Return what was meant for a text, a condition perhaps, and is a tag for its `!`."""
        self._note(event, Code.TAG, "tags are not read", "quote the whole of a text that begins with '!'")
        start, end = self._base + event.start_mark.index, self._base + event.end_mark.index
        return Text.at(self._source.text[start:end], self._source, start, end)

    def _collection(self, event: _Event) -> Mapping | Sequence:
        if self._depth == MAX_DEPTH:
            self._note(event, Code.SIZE, f"more than {MAX_DEPTH} levels of nesting")
            raise _GivenUpError
        self._depth += 1
        node = self._mapping(event) if isinstance(event, MappingStartEvent) else self._sequence(event)
        self._depth -= 1
        return node

    def _sequence(self, start: _Event) -> Sequence:
        sequence = Sequence()
        sequence.source, sequence.start = self._source, self._base + start.start_mark.index
        while not isinstance(event := self._parser.get_event(), SequenceEndEvent):
            sequence.append(self._node(event))
            self._pause()
        return sequence

    def _mapping(self, start: _Event) -> Mapping:
        mapping = Mapping()
        mapping.source, mapping.start = self._source, self._base + start.start_mark.index
        while not isinstance(event := self._parser.get_event(), MappingEndEvent):
            key = self._key(event)
            value = self._node(self._parser.get_event())
            if key is None:
                self._damaged = True
            elif key in mapping:
                line, _ = self._source.place(mapping.key(key).start)
                self._keep(
                    key.fault(Code.DUPLICATE_KEY, f"{quoted(key)} is already given in line {line}", hint="join the two")
                )
            else:
                mapping[key] = value
            self._pause()
        return mapping

    def _key(self, event: _Event) -> Text | None:
        """Return a key, or `None` where it is none."""
        key = self._node(event)
        if isinstance(key, Text) and (key != "<<" or event.style):
            return key
        if isinstance(key, Number) and self._number_keys:
            return cast("Text", Text.at(key, key.source, key.start, key.end))
        if key == "<<":
            self._note(event, Code.ALIAS, "merges are not read", "write out the keys")
        elif not isinstance(event, AliasEvent):
            self._note(event, Code.KEY, "a key must be a text", "quote it" if isinstance(key, Scalar) else "")
        return None

    def _alias(self, event: _Event) -> Scalar:
        self._damaged = True
        self._note(event, Code.ALIAS, "aliases are not read", "write out what it stands for; quote a text with '*'")
        return Null.at("", self._source, self._base + event.start_mark.index, self._base + event.end_mark.index)

    def _scalar(self, event: _Event) -> Scalar:
        value = event.value
        kind = None
        if not event.style:
            found = _CORE.fullmatch(value)
            kind = found and found.lastgroup
        elif "\x00" in value:
            self._note(event, Code.ENCODING, "a text cannot hold the character U+0000")
        if kind == "ambiguous":
            hint = f"write {value.lower()}, or quote it" if value[0] in "TF" else "write the number meant, or quote it"
            self._note(event, Code.AMBIGUOUS, f"{value} is read differently by different readers of YAML", hint)
            kind = None
        start, end = event.start_mark.index, event.end_mark.index
        return _KINDS[kind].at(value, self._source, self._base + start, self._base + end)

    def _note(self, event: _Event, code: Code, message: str, hint: str = "") -> None:
        start, end = event.start_mark.index, event.end_mark.index
        self._keep(self._source.fault(self._base + start, code, message, hint=hint, length=end - start))

    def _keep(self, fault: Fault) -> None:
        self.faults.append(fault)
        if len(self.faults) == MAX_FAULTS:
            raise _GivenUpError
