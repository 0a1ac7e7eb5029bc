"""The operation a GraphQL request asks for, read for certain or not at all (GraphQL, October 2021, section 2).

Read once from left to right, in time that grows with the length of the document: operations and fragments, of each the
fields at its top, the fragments it spreads, and how deep it goes. What a server could read from another place, or in
another way, is no value: several places that hold a query, a stored query, an operation that cannot be told, a
fragment that is missing or contains itself, characters that stand where no document has them.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

import msgspec

from authz._pb.authz.v1.vocabulary_pb2 import Graphql
from authz.errors import Refusal
from authz.model import BodyState
from authz.paths import parse_query
from authz.policy.calls import refuse_other_spellings
from authz.policy.facts import UnboundError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authz.policy.facts import Facts

MOST_LEVELS = 64
"""Braces inside one another, and fragments that spread one another."""

LONGEST = 64 * 1024
"""Characters of a document; the longest that people write have a tenth of it."""

MOST_PIECES = 16_384
"""Words, signs, and what stands between them, of a document: of the shortest, all that fit would take twenty
milliseconds to read, and other checks would wait for that."""

_STORED = frozenset({"extensions", "documentId", "doc_id", "id"})
"""Members that can stand for a query that the server has stored."""

_WORDS = frozenset({"query", "operationName", *_STORED})
_URL_WORDS = _WORDS - {"id"}
_OPERATIONS = frozenset({"query", "mutation", "subscription"})
_FRAGMENT = "fragment"
_TOKEN = re.compile(
    r'(?P<skip>[\s,\ufeff]+|#[^\n\r]*|"""(?:\\"""|(?!""").)*+(?:""")?|"(?:\\.|[^"\\\n\r])*+"?)'
    r"|(?P<name>[A-Za-z_]\w*)|(?P<spread>\.\.\.)|(?P<other>.)",
    re.DOTALL | re.ASCII,
)


def graphql(facts: Facts) -> Graphql:
    """Return the operation a GraphQL request asks for."""
    asked = _asked(facts)
    if _WORDS.isdisjoint(asked):
        return Graphql()
    if not isinstance(asked.get("query"), str):
        raise UnboundError("the GraphQL request has no query that could be read")
    if _names_another(asked):
        raise UnboundError("beside its query the GraphQL request names a stored one")
    wanted = asked.get("operationName") or ""
    definitions = _definitions(str(asked["query"]))
    found = [one for one in definitions if one.kind in _OPERATIONS and (not wanted or one.name == wanted)]
    if len(found) != 1:
        raise UnboundError("which GraphQL operation is asked for cannot be told")
    fields, depth = _Spreading(definitions).of(found[0])
    return Graphql(operation_name=found[0].name, operation_type=found[0].kind, fields=fields, depth=depth)


def _asked(facts: Facts) -> Mapping[str, object]:
    """Return what the request says in its body or, without one, in its URL; servers differ in which goes first."""
    try:
        url = parse_query(facts.request.query)
        body = {} if facts.request.body_state is BodyState.ABSENT else facts.body.json()
    except (Refusal, ValueError) as error:
        raise UnboundError(str(error)) from None
    if not isinstance(body, dict):
        raise UnboundError("the body is no single GraphQL request")
    refuse_other_spellings(body, _WORDS)
    told = {name: values for name, values in url.items() if name in _URL_WORDS}
    if told and body:
        raise UnboundError("the URL and the body both can hold a GraphQL request")
    if any(len(values) > 1 for values in told.values()):
        raise UnboundError("the URL holds several GraphQL requests")
    return body or {name: values[0] for name, values in told.items()}


def _names_another(asked: Mapping[str, object]) -> bool:
    """Tell whether a server could run a stored query in place of the one that is there (not where it is that one)."""
    if any(asked.get(name) is not None for name in _STORED - {"extensions"}):
        return True
    extensions = asked.get("extensions")
    if not isinstance(extensions, dict):
        return extensions is not None
    stored = extensions.get("persistedQuery")
    digest = hashlib.sha256(str(asked["query"]).encode()).hexdigest()
    return stored is not None and not (isinstance(stored, dict) and stored.get("sha256Hash") == digest)


class _Definition(msgspec.Struct, kw_only=True):
    """An operation or a fragment: its top fields, how deep it goes, and what it spreads on which level."""

    kind: str
    name: str
    fields: dict[str, None] = {}
    spreads: list[tuple[str, int]] = []
    depth: int = 0


def _definitions(document: str) -> list[_Definition]:
    if len(document) > LONGEST:
        raise UnboundError("the GraphQL query is too long")
    reader = _Reader()
    for number, token in enumerate(_TOKEN.finditer(document)):
        if number == MOST_PIECES:
            raise UnboundError("the GraphQL query has too many parts")
        if not token["skip"]:
            reader.take(token.lastgroup or "", token[0])
    return reader.found()


class _Reader:
    """Takes a document token by token. What is in parentheses (arguments, variables) says nothing of its fields."""

    def __init__(self) -> None:
        self._definitions: list[_Definition] = []
        self._open: _Definition | None = None
        self._head: list[str] = []
        self._braces: list[bool] = []
        self._parentheses = 0
        self._field = ""
        self._before = ""
        self._spreading = ""

    def found(self) -> list[_Definition]:
        """Return the definitions; raise `UnboundError` where the document breaks off."""
        if self._open is not None or self._head or self._parentheses:
            raise _unreadable()
        return self._definitions

    def take(self, kind: str, text: str) -> None:
        """Take the next token."""
        if text in "()":
            self._parentheses += 1 if text == "(" else -1
            if self._parentheses < 0:
                raise _unreadable()
        elif self._parentheses:
            return
        elif self._open is None:
            self._take_head(kind, text)
        else:
            self._take_selection(self._open, kind, text)
        self._before = text

    def _take_head(self, kind: str, text: str) -> None:
        if text == "{":
            words = self._head or ["query"]
            self._open = _Definition(kind=words[0], name=words[1] if len(words) > 1 else "")
            self._definitions.append(self._open)
            self._head = []
            self._braces = [True]
        elif kind == "name":
            if self._before != "@":
                self._head.append(text)
        elif text != "@" or not self._head:
            raise _unreadable()

    def _take_selection(self, definition: _Definition, kind: str, text: str) -> None:
        if kind == "name":
            self._take_name(definition, text)
        elif kind == "spread":
            self._settle(definition)
            self._spreading = text
        elif text == "{":
            self._enter(definition)
        elif text == "}":
            self._settle(definition)
            self._braces.pop()
            if not self._braces:
                self._open = None
        elif text not in (":", "@") or self._spreading == ":":
            raise _unreadable()

    def _take_name(self, definition: _Definition, text: str) -> None:
        if self._before == "@":
            return
        if self._spreading == "...":
            self._spreading = "on" if text == "on" else ""
            if text != "on":
                definition.spreads.append((text, sum(self._braces)))
        elif self._spreading == "on":
            self._spreading = "type"
        else:
            if self._before != ":":
                self._settle(definition)
            self._field = text

    def _enter(self, definition: _Definition) -> None:
        """Begin a selection: of a field, one level deeper, or of a fragment that stands where it is spread."""
        deeper = not self._spreading
        if (deeper and not self._field) or len(self._braces) >= MOST_LEVELS:
            raise _unreadable()
        self._settle(definition)
        self._spreading = ""
        self._braces.append(deeper)

    def _settle(self, definition: _Definition) -> None:
        """Note the field that was read last: only now is it known that it was no alias."""
        if self._spreading:
            return
        if self._field:
            level = sum(self._braces)
            definition.depth = max(definition.depth, level)
            if level == 1:
                definition.fields[self._field] = None
        self._field = ""


class _Spreading:
    """What definitions come to with the fragments they spread; each fragment is looked at once."""

    def __init__(self, definitions: list[_Definition]) -> None:
        fragments = [one for one in definitions if one.kind == _FRAGMENT]
        self._fragments = {one.name: one for one in fragments}
        self._depths: dict[str, int] = {}
        if len(self._fragments) < len(fragments):
            raise UnboundError("two fragments of the GraphQL request have one name")

    def of(self, definition: _Definition) -> tuple[tuple[str, ...], int]:
        """Return the top fields, each once, and the depth."""
        depth = self._depth(definition, 0)  # first: from here on every fragment is known to be there
        return tuple(self._fields(definition)), depth

    def _fields(self, definition: _Definition) -> dict[str, None]:
        """Return the top fields of a definition and of what it spreads at its top, however often it does."""
        fields: dict[str, None] = {}
        seen: set[str] = set()
        waiting = [definition]
        while waiting:
            one = waiting.pop()
            fields.update(one.fields)
            spread = dict.fromkeys(name for name, level in one.spreads if level == 1 and name not in seen)
            seen.update(spread)
            waiting += (self._fragments[name] for name in reversed(spread))
        return fields

    def _depth(self, definition: _Definition, levels: int) -> int:
        if levels > MOST_LEVELS:
            raise UnboundError("a fragment of the GraphQL request contains itself, or too many others")
        below = (level - 1 + self._depth_of(name, levels) for name, level in definition.spreads)
        return max(definition.depth, max(below, default=0))

    def _depth_of(self, name: str, levels: int) -> int:
        if name not in self._fragments:
            raise UnboundError("the GraphQL request spreads a fragment that it does not define")
        if name not in self._depths:
            self._depths[name] = self._depth(self._fragments[name], levels + 1)
        return self._depths[name]


def _unreadable() -> UnboundError:
    return UnboundError("the query is no GraphQL document, or goes too deep")
