"""The bodies of an operation: which media types it takes, and what each must hold.

JSON, forms and text are read. What else an API takes (uploads, images) can be taken unread only where the description
says nothing about its content, or whoever loads it says so: otherwise that is a flaw, not a hole.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from authz.content.media import FORM, media_type
from authz.content.openapi.parameters import MEDIA
from authz.content.texts import TextsValidator, kinds
from authz.model import STATUS, BodyState, Objection, Reason, Unmet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from authz.content.openapi.document import Node
    from authz.content.openapi.schemas import Schemas
    from authz.content.schema import Validator
    from authz.model import Request

_BODY = frozenset({"content", "description", "required"})


class Content(Protocol):
    """The body of a request, read when asked for; what cannot be read raises `ValueError`."""

    def json(self) -> object:
        """Return the value of a JSON document."""

    def form(self) -> Mapping[str, Sequence[str]]:
        """Return the fields of a form."""

    def text(self) -> str:
        """Return a text."""


class Form(StrEnum):
    """How a body is read."""

    JSON = "json"
    FORM = "form"
    TEXT = "text"
    UNREAD = "unread"


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A body as it is described: media types (or `type/*`, `*/*`) with how to read it and the definition to meet."""

    required: bool
    media: Mapping[str, tuple[Form, str | None]]


def written(node: Node, schemas: Schemas, unchecked: frozenset[str]) -> Written | None:
    """Return what an operation takes as a body; bodies of `unchecked` types are taken unread."""
    found = node.resolved()
    if found is None:
        return None
    found.only(_BODY)
    media = {
        name.lower(): _media(name.lower(), each.only(MEDIA), schemas, unchecked)
        for name, each in found.members("content")
    }
    if not media:
        found.flaw("a body has a media type")
    return Written(required=found.flag("required"), media=media)


def _media(name: str, node: Node, schemas: Schemas, unchecked: frozenset[str]) -> tuple[Form, str | None]:
    form, schema = _form(name), node.get("schema")
    if name in unchecked or schema is None or _says_nothing(schema):
        return Form.UNREAD, None
    if form is Form.UNREAD:
        hint = f'leave its schema out, or load the description with unchecked: ["{name}"]'
        node.flaw(f'bodies of the type "{name}" cannot be checked here', hint)
        return form, None
    return form, schemas.use(schema)


def _form(name: str) -> Form:
    parsed = media_type(name)
    if parsed is not None and parsed.is_json:
        return Form.JSON
    if parsed is not None and parsed.name == FORM:
        return Form.FORM
    return Form.TEXT if parsed is not None and parsed.name.startswith("text/") else Form.UNREAD


def _says_nothing(schema: Node) -> bool:
    """Return whether a schema only says that there are bytes."""
    found = schema.resolved()
    said = found.value if found is not None else None
    return said in (True, {}) or (
        isinstance(said, dict)
        and said.get("type", "string") == "string"
        and said.get("format", "binary") in {"binary", "byte"}
        and said.keys() <= {"type", "format", "description", "title", "contentMediaType"}
        and "type" in said
        and "format" in said
    )


class Body:
    """What a body must be, for requests to be held against."""

    __slots__ = ("_forms", "_media", "_required", "_validators")

    def __init__(self, written: Written, bundle: Mapping[str, Any], validators: Mapping[str, Validator]) -> None:
        self._required = written.required
        self._media = written.media
        used = {schema for _, schema in written.media.values() if schema is not None}
        self._validators = {name: validators[name] for name in used}
        self._forms = {
            name: TextsValidator("body", kinds(bundle["$defs"][name], bundle), validators[name].unmet)
            for form, name in written.media.values()
            if form is Form.FORM and name is not None
        }

    def objection(self, request: Request, content: Content) -> Objection | None:
        """Return why the body of a request is refused."""
        if request.body_state is BodyState.ABSENT:
            return _invalid("there is no body") if self._required else None
        taken = self._taken(request.headers.get("content-type", ""))
        if taken is None:
            reason = Reason.UNSUPPORTED_MEDIA_TYPE
            return Objection(reason=reason, status=STATUS[reason], detail="the operation takes no such media type")
        form, schema = taken
        if form is Form.UNREAD or schema is None:
            return None
        try:
            unmet = self._read(form, schema, content)
        except ValueError as error:
            return _invalid(str(error))
        return _invalid(unmet[0].told, unmet) if unmet else None

    def _read(self, form: Form, schema: str, content: Content) -> tuple[Unmet, ...]:
        if form is Form.FORM:
            return self._forms[schema].unmet(content.form())
        read: Callable[[], object] = content.json if form is Form.JSON else content.text
        return self._validators[schema].unmet(read())

    def _taken(self, written: str) -> tuple[Form, str | None] | None:
        """Return how a media type is read, the nearest that is described."""
        found = media_type(written)
        if found is None:
            return None
        names = (found.name, found.name.partition("/")[0] + "/*", "*/*")
        return next((self._media[name] for name in names if name in self._media), None)


def undescribed(request: Request) -> Objection | None:
    """Return an objection to a body that an operation does not speak of."""
    sent = request.body or request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers
    return _invalid("the operation takes no body") if sent else None


def _invalid(detail: str, unmet: tuple[Unmet, ...] = ()) -> Objection:
    return Objection(reason=Reason.INVALID_BODY, status=STATUS[Reason.INVALID_BODY], detail=detail, unmet=unmet)
