"""The parameters of an operation: where each is found in a request, how its text becomes a value, what that must be.

Each style that HTTP gateways keep intact is read: `simple`, `form`, `spaceDelimited`, `pipeDelimited`, `deepObject`.
`matrix` and `label` are refused at load: paths with `;` read two ways (`authz.paths`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from authz.content.json import JSONError, loads
from authz.content.media import media_type
from authz.content.pointers import pointer
from authz.content.schema import Validator
from authz.content.texts import Kind, kind, kinds, value
from authz.model import Unmet

if TYPE_CHECKING:
    from authz.content.openapi.document import Node
    from authz.content.openapi.schemas import Schemas

PARTS = {"query": "query", "header": "headers", "path": "params", "cookie": "cookies"}
"""What we call the places of OpenAPI."""

PARAMETER = frozenset(
    {"allowEmptyValue", "allowReserved", "content", "deprecated", "description", "example", "examples", "explode",
     "in", "name", "required", "schema", "style"}
)  # fmt: skip
MEDIA = frozenset({"encoding", "example", "examples", "schema"})

_STYLES = {
    "query": ("form", "spaceDelimited", "pipeDelimited", "deepObject"),
    "header": ("simple",),
    "path": ("simple",),
    "cookie": ("form",),
}
_SEPARATORS = {"form": ",", "simple": ",", "spaceDelimited": " ", "pipeDelimited": "|"}
_IGNORED = frozenset({"accept", "content-type", "authorization"})

Texts = Mapping[str, Sequence[str]]


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter as it is described; `schema` names its definition, which is written at `node`.

    `in_json` says that its text is a JSON document.
    """

    name: str
    place: str
    required: bool
    style: str
    explode: bool
    schema: str
    node: Node
    in_json: bool = False
    may_be_empty: bool = False


def written(node: Node, schemas: Schemas) -> Written | None:
    """Return a parameter, `None` where it is at fault or says nothing (`Accept`, `Content-Type`, `Authorization`)."""
    node.only(PARAMETER)
    name, place = node.needed("name"), node.needed("in")
    if place not in PARTS:
        node.flaw(f'a parameter is in "query", "header", "path" or "cookie", not in "{place}"')
        return None
    if place == "header" and name.lower() in _IGNORED:
        return None
    style = node.text("style", _STYLES[place][0])
    if style not in _STYLES[place]:
        node.flaw(f'the style "{style}" is not read in a {place}', known=_STYLES[place])
    required = node.flag("required")
    if place == "path" and not required:
        node.flaw("a parameter in the path is required", "write required: true")
    described = _described(node)
    if described is None:
        return None
    return Written(
        name=name.lower() if place == "header" else name,
        place=place,
        required=required,
        style=style,
        explode=node.flag("explode", default=style == "form"),
        schema=schemas.use(described[0]),
        node=described[0],
        in_json=described[1],
        may_be_empty=node.flag("allowEmptyValue"),
    )


def _described(node: Node) -> tuple[Node, bool] | None:
    """Return the schema a parameter must meet, and whether its text is a JSON document."""
    if (schema := node.get("schema")) is not None:
        if node.get("content") is not None:
            node.flaw('a parameter has "schema" or "content", not both')
        return schema, False
    content = list(node.members("content"))
    if len(content) != 1:
        node.flaw('a parameter has a "schema", or a "content" with one media type')
        return None
    name, media = content[0]
    found = media_type(name)
    if found is None or not found.is_json:
        media.flaw(f'the text of a parameter is read as JSON, not as "{name}"')
        return None
    schema = media.only(MEDIA).get("schema")
    return None if schema is None else (schema, True)


class Parameter:
    """A parameter that requests can be held against."""

    __slots__ = ("_items", "_kind", "_properties", "_validator", "written")

    def __init__(self, written: Written, bundle: Mapping[str, Any], validator: Validator) -> None:
        self.written = written
        self._validator = validator
        schema = bundle["$defs"][written.schema]
        self._kind = kind(schema, bundle)
        self._properties: Mapping[str, Kind] = kinds(schema, bundle) if "object" in self._kind.types else {}

    @property
    def is_map(self) -> bool:
        """Return whether its properties are parameters of their own: a form that is exploded has no name."""
        written = self.written
        return self._is_object and written.style == "form" and written.explode and not written.in_json

    def claims(self, name: str) -> bool:
        """Return whether a name that is found in a request belongs to it."""
        if self.is_map:
            return name in self._properties
        if self.written.style == "deepObject":
            return name.startswith(f"{self.written.name}[") and name.endswith("]")
        return name == self.written.name

    def unmet(self, texts: Texts, rest: Texts) -> tuple[Unmet, ...]:
        """Return what is wrong with it among the texts of its place; `rest` are those that no parameter claims."""
        claimed = [(name, text) for name, all_ in texts.items() if self.claims(name) for text in all_]
        if self.is_map:
            claimed += [(name, text) for name, all_ in rest.items() for text in all_]
            return self._against(lambda: self._object(claimed), "") if claimed or self.written.required else ()
        where = pointer([self.written.name])
        if not claimed:
            return self._wrong(where, "required") if self.written.required else ()
        if self.written.style == "deepObject":
            return self._against(lambda: self._object(self._members(claimed)), where)
        values = [text for _, text in claimed]
        if self.written.may_be_empty and values == [""]:
            return ()
        if len(values) > 1 and not self._repeats:
            return self._wrong(where, "repeated")
        return self._against(lambda: self._value(values), where)

    def _against(self, read: Callable[[], object], where: str) -> tuple[Unmet, ...]:
        """Return what is wrong with a value, told from where it stands."""
        part = PARTS[self.written.place]
        try:
            found = self._validator.unmet(read(), part)
        except _UnreadableError as error:
            return self._wrong(where, str(error))
        return tuple(msgspec.structs.replace(each, pointer=where + each.pointer) for each in found)

    def _wrong(self, where: str, keyword: str) -> tuple[Unmet, ...]:
        return (Unmet(part=PARTS[self.written.place], pointer=where, keyword=keyword),)

    @property
    def _is_object(self) -> bool:
        return "object" in self._kind.types

    @property
    def _repeats(self) -> bool:
        return self._kind.is_list and self.written.explode and self.written.place in {"query", "cookie"}

    def _value(self, texts: Sequence[str]) -> object:
        """Return what the texts of the parameter say."""
        if self.written.in_json:
            return _json(texts[0])
        separator = _SEPARATORS[self.written.style]
        if self._kind.is_list:
            split = texts if self._repeats else texts[0].split(separator) if texts[0] else []
            return [value(text.strip() if separator == "," else text, self._kind.items) for text in split]
        if self._is_object:
            return self._object(self._pairs(texts[0].split(separator)))
        return value(texts[0], self._kind.types)

    def _members(self, claimed: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        """Return the members of an object that is written as `n[a]=1`; more brackets are a level more to some."""
        start = len(self.written.name) + 1
        members = [(name[start:-1], text) for name, text in claimed]
        if any(bracket in name for name, _ in members for bracket in "[]"):
            raise _UnreadableError("style")
        return members

    def _pairs(self, pieces: Sequence[str]) -> list[tuple[str, str]]:
        """Return the properties of an object that is written as `a,1,b,2`, or exploded as `a=1,b=2`."""
        if self.written.explode:
            return [(name, text) for name, _, text in (piece.partition("=") for piece in pieces)]
        if len(pieces) % 2:
            raise _UnreadableError("style")
        return list(zip(pieces[::2], pieces[1::2], strict=True))

    def _object(self, pairs: Sequence[tuple[str, str]]) -> dict[str, object]:
        texts: dict[str, list[str]] = {}
        for name, text in pairs:
            texts.setdefault(name, []).append(text)
        made: dict[str, object] = {}
        for name, given in texts.items():
            known = self._properties.get(name, _ANY)
            if len(given) > 1 and not known.is_list:
                raise _UnreadableError("repeated")
            made[name] = [value(text, known.items) for text in given] if known.is_list else value(given[0], known.types)
        return made


_ANY = Kind()


class _UnreadableError(ValueError):
    """A text that is not of the style of its parameter."""


def _json(text: str) -> object:
    try:
        return loads(text.encode())
    except JSONError:
        raise _UnreadableError("contentMediaType") from None
