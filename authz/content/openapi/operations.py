"""The operations of an API as they are described: read from the paths of a document, nothing compiled yet.

Whoever wants to know what an API offers (the importer, the list of routes) reads this; `compiling` makes of it what
requests are held against.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from authz import paths
from authz.content.openapi import bodies, parameters
from authz.content.openapi.document import Document, Node, Read
from authz.content.openapi.routing import Segment, TemplateError
from authz.content.openapi.schemas import Schemas
from authz.content.openapi.security import Alternative, Scheme, alternatives, schemes
from authz.content.openapi.servers import bases

if TYPE_CHECKING:
    from collections.abc import Iterator

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

_ROOT = frozenset(
    {"components", "externalDocs", "info", "jsonSchemaDialect", "openapi", "paths", "security", "servers", "tags",
     "webhooks"}
)  # fmt: skip
_PATH_ITEM = frozenset({"$ref", "description", "parameters", "servers", "summary", *METHODS})
_OPERATION = frozenset(
    {"callbacks", "deprecated", "description", "externalDocs", "operationId", "parameters", "requestBody", "responses",
     "security", "servers", "summary", "tags"}
)  # fmt: skip
_DIALECTS = ("https://spec.openapis.org/oas/3.1/dialect/base", "https://json-schema.org/draft/2020-12/schema")


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """What an API offers under a path and a method. `bases` are the segments of its servers in front of `template`."""

    method: str
    template: str
    bases: tuple[tuple[str, ...], ...]
    parameters: tuple[parameters.Written, ...]
    body: bodies.Written | None
    security: tuple[Alternative, ...]
    node: Node
    id: str = ""
    tags: tuple[str, ...] = ()


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """An API as it is described."""

    title: str
    document: Document
    schemas: Schemas
    operations: tuple[Operation, ...]
    schemes: dict[str, Scheme]


def described(root: object, read: Read, unchecked: frozenset[str] = frozenset()) -> Description:
    """Return what an OpenAPI document says; what is wrong is noted in its `document`."""
    document = Document(root, read)
    schemas = Schemas(_version(document.root))
    known = schemes(document.root)
    info = document.root.get("info")
    reader = _Reader(document, schemas, known, unchecked)
    return Description(
        title="" if info is None else info.text("title"),
        document=document,
        schemas=schemas,
        operations=tuple(reader.operations()),
        schemes=known,
    )


def _version(root: Node) -> str:
    if not isinstance(root.value, dict):
        root.flaw("an OpenAPI document is a mapping")
        return "3.1"
    root.only(_ROOT)
    written = root.get("openapi")
    version = "" if written is None else ".".join(str(written.value).split(".")[:2])
    if version not in {"3.0", "3.1"}:
        hint = "convert it to OpenAPI 3.0 or 3.1" if "swagger" in root.value else "write openapi: 3.1.0"
        (written or root).flaw("only OpenAPI 3.0 and 3.1 are read", hint)
    dialect = root.get("jsonSchemaDialect")
    if dialect is not None and str(dialect.value).rstrip("#") not in _DIALECTS:
        dialect.flaw("schemas of another dialect than JSON Schema 2020-12 are not read")
    return version


class _Reader:
    """Reads the paths of one document."""

    def __init__(
        self, document: Document, schemas: Schemas, known: dict[str, Scheme], unchecked: frozenset[str]
    ) -> None:
        self._root = document.root
        self._schemas = schemas
        self._known = known
        self._unchecked = unchecked

    def operations(self) -> Iterator[Operation]:
        """Yield every operation."""
        root = self._root
        if not isinstance(root.value, dict):
            return
        found = root.get("paths")
        if found is None:
            root.flaw("the document describes no paths")
            return
        here = bases(root, ((),)), alternatives(root, self._known, ())
        for template, node in found.items():
            if not template.startswith("x-"):
                yield from self._path(template, node, *here)

    def _path(
        self, template: str, node: Node, servers: tuple[tuple[str, ...], ...], security: tuple[Alternative, ...]
    ) -> Iterator[Operation]:
        item = node.resolved()
        if item is None:
            return
        item.only(_PATH_ITEM)
        _check(template, node)
        servers, shared = bases(item, servers), self._parameters(item)
        for method in METHODS:
            if (found := item.get(method)) is not None:
                found.only(_OPERATION)
                own = shared | self._parameters(found)
                _named_once(template, own, found)
                yield Operation(
                    method=method.upper(),
                    template=template,
                    bases=bases(found, servers),
                    parameters=tuple(each for each in own.values() if each is not None),
                    body=self._body(found),
                    security=alternatives(found, self._known, security),
                    node=found,
                    id=found.text("operationId"),
                    tags=tuple(str(tag.value) for tag in found.elements("tags")),
                )

    def _parameters(self, node: Node) -> dict[tuple[str, str], parameters.Written | None]:
        """Return parameters by place and name; an operation's own replace those of its path."""
        found: dict[tuple[str, str], parameters.Written | None] = {}
        for each in node.elements("parameters"):
            if (resolved := each.resolved()) is not None:
                key = resolved.text("in"), resolved.text("name")
                if key in found:
                    each.flaw(f'the parameter "{key[1]}" is described twice')
                found[key] = parameters.written(resolved, self._schemas)
        return found

    def _body(self, node: Node) -> bodies.Written | None:
        found = node.get("requestBody")
        return None if found is None else bodies.written(found, self._schemas, self._unchecked)


def segments(template: str) -> list[Segment]:
    """Return the segments of a path template; raise `TemplateError` for one that no request has."""
    if not template.startswith("/") or "//" in template or set(template) & set("?#;\\"):
        raise TemplateError(f'no request has the path "{template}"')
    return [Segment(paths.decoded(each)) for each in template.strip("/").split("/") if each]


def _check(template: str, node: Node) -> None:
    try:
        segments(template)
    except ValueError as error:
        node.flaw(str(error))


def _named_once(template: str, own: dict[tuple[str, str], parameters.Written | None], node: Node) -> None:
    """Note parameters of the path that are not described, and described ones that are not in the path."""
    in_path = [part.partition("}")[0] for part in template.split("{")[1:]]
    described_ = {name for place, name in own if place == "path"}
    for name in dict.fromkeys(in_path):
        if name not in described_ or in_path.count(name) > 1:
            what = "is in the path twice" if in_path.count(name) > 1 else "of the path is not described"
            node.flaw(f'the parameter "{name}" {what}')
    for name in sorted(described_ - set(in_path)):
        node.flaw(f'the path has no parameter "{name}"', known=tuple(in_path))
