"""A file of Envoy's configuration as messages that know their places. YAML; JSON reads as YAML.

Read as Envoy reads it: anchors and merges are followed, `yes` is true, a field is known by its name in Protocol Buffers
and by its name in JSON (`failure_mode_allow`, `failureModeAllow`). What Envoy would refuse is no matter of ours
(`envoy --mode validate` says it), except what could hide something: a field twice, a file that does not end.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec
import yaml
from yaml import CSafeLoader, MappingNode, ScalarNode, SequenceNode
from yaml.events import CollectionEndEvent, CollectionStartEvent

from authz.envoy.codes import UNREADABLE
from authz.policy.source import Boolean, Mapping, Node, Null, Number, Scalar, Sequence, Source, Text, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz.envoy.codes import Code
    from authz.errors import Fault

_KINDS: dict[str, type[Scalar]] = {
    "tag:yaml.org,2002:bool": Boolean,
    "tag:yaml.org,2002:int": Number,
    "tag:yaml.org,2002:float": Number,
    "tag:yaml.org,2002:null": Null,
}
_MERGE = "tag:yaml.org,2002:merge"
_TRUE = frozenset({"true", "yes", "on", "y", "1"})
_SECONDS = re.compile(r"([0-9]+(?:\.[0-9]*)?)s")
_STRUCTS = (".TypedStruct",)

_DEEPEST = 200
"""Levels of nesting that are read: libyaml's composer has no bound but the stack."""


class Message:
    """A mapping as one of Envoy's messages; `type` is the last part of its `@type`, nothing where it has none."""

    __slots__ = ("node", "type")

    def __init__(self, node: Mapping, type_url: str = "") -> None:
        self.node = node
        self.type = (type_url or str(node.get("@type", ""))).rpartition("/")[2]

    def get(self, name: str) -> Node | None:
        """Return a field by its name in Protocol Buffers, `None` where it is not set."""
        key = self._key(name)
        value = None if key is None else self.node[key]
        return None if isinstance(value, Null) else value

    def message(self, name: str) -> Message | None:
        """Return a field that is a message; one in an envelope (`TypedStruct`) without it."""
        value = self.get(name)
        return opened(value) if isinstance(value, Mapping) else None

    def messages(self, name: str) -> list[Message]:
        """Return a field that is a list of messages."""
        value = self.get(name)
        return [opened(one) for one in value if isinstance(one, Mapping)] if isinstance(value, Sequence) else []

    def entries(self, name: str) -> list[tuple[str, Message]]:
        """Return a field that is a map of messages."""
        value = self.get(name)
        pairs = value.items() if isinstance(value, Mapping) else ()
        return [(key, opened(one)) for key, one in pairs if isinstance(one, Mapping)]

    def texts(self, name: str) -> list[str]:
        """Return a field that is a list of texts."""
        value = self.get(name)
        return [str(one) for one in value if isinstance(one, Scalar)] if isinstance(value, Sequence) else []

    def text(self, name: str) -> str:
        """Return a field that is a text or an enum, empty where it is not set."""
        value = self.get(name)
        return str(value) if isinstance(value, Scalar) else ""

    def flag(self, name: str) -> bool:
        """Return whether a field is true."""
        return self.text(name).lower() in _TRUE

    def number(self, name: str) -> float | None:
        """Return a field that is a number; Protocol Buffers also write it as a text."""
        try:
            return float(self.text(name))
        except ValueError:
            return None

    def seconds(self, name: str) -> float | None:
        """Return a field that is a duration."""
        written = _SECONDS.fullmatch(self.text(name))
        return None if written is None else float(written[1])

    def has(self, name: str) -> bool:
        """Return whether a field is set."""
        return self.get(name) is not None

    def finding(self, code: Code, what: str, *, at: str = "") -> Fault:
        """Return what is wrong at a field, or at the message itself where the field is not written."""
        key = self._key(at) if at else None
        start, length = (self.node.start, 1) if key is None else (key.start, len(key.raw))
        return found(self.node.source, start, code, what, length=length)

    def _key(self, name: str) -> Text | None:
        for spelled in (name, _json_name(name)):
            if spelled in self.node:
                return self.node.key(spelled)
        return None


def found(source: Source, offset: int, code: Code, what: str, *, length: int = 1) -> Fault:
    """Return what is wrong at a place: what, why it matters, and the way out."""
    fault = source.fault(offset, code.code, f"{what}: {code.why}", hint=code.remedy, length=length)
    return msgspec.structs.replace(fault, severity=code.severity)


def opened(node: Mapping) -> Message:
    """Return a mapping as a message; one that is given by its type and a plain value as that value."""
    message = Message(node)
    value = message.get("value")
    if message.type.endswith(_STRUCTS) and isinstance(value, Mapping):
        return Message(value, message.text("type_url"))
    return message


def read(file: str, content: bytes) -> tuple[list[Node], list[Fault]]:
    """Return the documents of a file, and what hindered reading it."""
    source = Source(file, content.decode("utf-8", "replace"))
    composer = _Composer(source)
    try:
        return list(composer.documents()), composer.faults
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        composer.fault(mark.index if mark else 0, f"is no YAML: {error.problem or error.context}")
    except yaml.reader.ReaderError as error:
        composer.fault(error.position, f"is no YAML: {error.reason}")
    return [], composer.faults


class _Loader(CSafeLoader):
    """Merges each field in once: of merges of merges there would be twice as many on each level."""

    def flatten_mapping(self, node: MappingNode) -> None:
        """Put what is merged in before what is written, which goes before it."""
        own = [pair for pair in node.value if pair[0].tag != _MERGE]
        super().flatten_mapping(node)
        merged = {_name(key): (key, value) for key, value in node.value[: len(node.value) - len(own)]}
        written = {_name(key) for key, _ in own}
        node.value = [*(pair for name, pair in merged.items() if name not in written), *own]


def _name(key: Any) -> object:  # noqa: ANN401 - PyYAML's
    return key.value if isinstance(key, ScalarNode) else id(key)


class _Composer:
    """Builds nodes with places; what an anchor names is built once, however often it is used."""

    def __init__(self, source: Source) -> None:
        self.faults: list[Fault] = []
        self._source = source
        self._loader: Any = None
        self._built: dict[int, Node] = {}

    def documents(self) -> Iterator[Node]:
        """Yield every document that is not empty."""
        if (offset := _too_deep(self._source.text)) is not None:
            self.fault(offset, f"is nested deeper than {_DEEPEST} levels")
            return
        self._loader = _Loader(self._source.text)
        while self._loader.check_node():
            node = self._loader.get_node()
            if not (isinstance(node, ScalarNode) and not node.value):
                yield self._node(node)

    def fault(self, offset: int, what: str) -> None:
        """Keep what is wrong with the text itself."""
        self.faults.append(found(self._source, min(offset, len(self._source.text)), UNREADABLE, what))

    def _node(self, node: Any) -> Node:  # noqa: ANN401 - PyYAML's
        known = self._built.get(id(node))
        if known is not None:
            return known
        if isinstance(node, MappingNode):
            return self._mapping(node)
        if isinstance(node, SequenceNode):
            return self._sequence(node)
        scalar: Scalar = self._scalar(node, _KINDS.get(node.tag, Text))
        return scalar

    def _mapping(self, node: MappingNode) -> Mapping:
        self._refuse_twice([self._scalar(key, Text) for key, _ in node.value])
        self._loader.flatten_mapping(node)  # what is merged in comes first, so that what is written wins
        mapping = Mapping()
        mapping.source, mapping.start = self._source, node.start_mark.index
        self._built[id(node)] = mapping
        for key, value in node.value:
            name = self._scalar(key, Text)
            mapping.pop(name, None)
            mapping[name] = self._node(value)
        return mapping

    def _refuse_twice(self, written: list[Text]) -> None:
        for place, name in enumerate(written):
            if name in written[:place]:
                self.fault(name.start, f"the field {quoted(name)} is there twice")

    def _sequence(self, node: SequenceNode) -> Sequence:
        sequence = Sequence()
        sequence.source, sequence.start = self._source, node.start_mark.index
        self._built[id(node)] = sequence
        sequence.extend(map(self._node, node.value))
        return sequence

    def _scalar(self, node: Any, kind: type[Scalar]) -> Any:  # noqa: ANN401 - PyYAML's in, a scalar out
        value = node.value if isinstance(node, ScalarNode) else ""
        return kind.at(value, self._source, node.start_mark.index, node.end_mark.index)


def _too_deep(text: str) -> int | None:
    """Return where a text is nested too deep; raises what the scanner says."""
    depth = 0
    for event in yaml.parse(text, Loader=CSafeLoader):
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > _DEEPEST:
            return event.start_mark.index if event.start_mark else 0
    return None


@lru_cache
def _json_name(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)
