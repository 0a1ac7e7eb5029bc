"""What requests must look like: JSON Schema for the body, the query, the headers and what the path captures."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Discriminator, Field, Tag

from authz.errors import Fault
from authz.policy.codes import Code
from authz.policy.documents.values import (
    AnyText,
    Cel,
    Checked,
    Choice,
    FileName,
    Many,
    Maybe,
    MediaType,
    Name,
    PlainMap,
    whole,
)
from authz.policy.source import Mapping, Scalar, Text

FORM = "application/x-www-form-urlencoded"

_SAYS = ("content_type", "max_bytes", "schema", "query", "headers", "params", "openapi")
_WITH_OPENAPI = ("undocumented", "security", "unchecked")
_BESIDE_OPENAPI = ("content_type", "schema", "query", "headers", "params")


class Undocumented(StrEnum):
    """What becomes of a request that an API does not describe."""

    REFUSE = "refuse"
    RECORD = "record"


class Security(StrEnum):
    """Whether callers must have what an operation asks for; a map says also which provider proves which scheme."""

    CHECK = "check"
    IGNORE = "ignore"


def _schema_form(node: object) -> str:
    return "file" if isinstance(node, Scalar) else "inline"


def _security_form(node: object) -> str:
    return "provers" if isinstance(node, Mapping) else "word"


Schema = Annotated[Annotated[FileName, Tag("file")] | Annotated[PlainMap, Tag("inline")], Discriminator(_schema_form)]


class Validation(Checked):
    """What a request must look like. `body_schema` is written `schema`.

    A schema is a file beside this one, or JSON Schema inline; those of `query`, `headers` and `params` have a property
    for each name.
    """

    model_config = ConfigDict(json_schema_extra={"minProperties": 2})

    name: Name = Field(description="What records and answers call the validation.", examples=["order-body"])
    when: Maybe[Cel] = Field(
        default=None,
        description="CEL: where it does not hold, nothing is validated.",
        examples=['request.method == "POST"'],
    )
    content_type: Maybe[MediaType] = Field(
        default=None, description="The only media type that is accepted (else 415).", examples=["application/json"]
    )
    max_bytes: Maybe[Annotated[int, whole(0, 2**31 - 1)]] = Field(
        default=None, description="The longest body that is accepted (else 413).", examples=[65536]
    )
    body_schema: Maybe[Schema] = Field(
        default=None,
        alias="schema",
        description="JSON Schema 2020-12 the body must meet (else 400): a file beside this one, or inline. "
        f"The body is JSON, or a form where `content_type` is {FORM}.",
        examples=["order.schema.json", {"type": "object", "required": ["sku"]}],
    )
    query: Maybe[Schema] = Field(
        default=None,
        description="JSON Schema that the query must meet (else 400), a property for each parameter.",
        examples=[{"properties": {"limit": {"type": "integer", "maximum": 100}}, "additionalProperties": False}],
    )
    headers: Maybe[Schema] = Field(
        default=None,
        description="JSON Schema that the headers must meet (else 400), a property for each, in lower case.",
        examples=[{"required": ["x-tenant"], "properties": {"x-tenant": {"pattern": "^[a-z]+$"}}}],
    )
    params: Maybe[Schema] = Field(
        default=None,
        description="JSON Schema that what the path captures must meet (else 400), a property for each name.",
        examples=[{"properties": {"id": {"type": "integer", "minimum": 1}}}],
    )

    openapi: Maybe[FileName] = Field(
        default=None,
        description="An OpenAPI 3.0 or 3.1 document beside this one: a request must fit the operation it calls.",
        examples=["api.yaml"],
    )
    undocumented: Choice[Undocumented] = Field(
        default=Undocumented.REFUSE,
        description="With `openapi`: operations (404) and query parameters (400) that it does not describe are "
        "refused, or only recorded.",
        examples=["record"],
    )
    security: Annotated[
        Annotated[Choice[Security], Tag("word")] | Annotated[dict[AnyText, Name], Tag("provers")],
        Discriminator(_security_form),
    ] = Field(
        default=Security.CHECK,
        description="With `openapi`: whether the caller must meet the security requirements of the operation, or which "
        "provider proves each security scheme; left out, the provider of its name.",
        examples=["ignore", {"api_token": "staff"}],
    )
    unchecked: Many[MediaType] = Field(
        default=(),
        description="With `openapi`: media types whose bodies are taken unread, as they cannot be checked here.",
        examples=[["multipart/form-data"]],
    )

    @classmethod
    def conflicts(cls, node: Mapping) -> Iterator[Fault]:
        """Yield a fault for a validation that validates nothing, or nothing that there can be."""
        if node.keys().isdisjoint(_SAYS):
            yield node.fault(Code.MISSING_KEY, "a validation says " + ", ".join(_SAYS[:-1]) + f" or {_SAYS[-1]}")
        yield from _beside_openapi(node)
        written = node.get("content_type")
        if "schema" in node and isinstance(written, Text) and not _has_schema(written):
            hint = f"application/json, a type that ends in +json, or {FORM}"
            yield written.fault(Code.TOGETHER, f'no schema can be met by "{written}"', hint=hint)


def _beside_openapi(node: Mapping) -> Iterator[Fault]:
    """Yield a fault for keys that have no meaning with a description of the API, or without one."""
    wrong, how = (_BESIDE_OPENAPI, "beside") if "openapi" in node else (_WITH_OPENAPI, "without")
    for key in node.written():
        if key in wrong:
            yield key.fault(Code.TOGETHER, f'"{key}" has no meaning {how} openapi')


def _has_schema(media_type: str) -> bool:
    return media_type in {"application/json", FORM} or media_type.endswith("+json")
