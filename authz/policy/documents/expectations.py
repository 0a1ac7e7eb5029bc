"""What a test expects of an answer: a word where that is enough, a mapping where it is not.

Whatever is said must be so; what is not said may be anything. Where names are listed, each must be there, and an empty
list says that there is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Annotated

from pydantic import ConfigDict, Field, GetJsonSchemaHandler, PrivateAttr, WrapValidator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from authz.errors import Fault
from authz.model import Effect, Reason
from authz.policy.codes import Code
from authz.policy.documents import grammar
from authz.policy.documents.fixtures import SentHeader, Values
from authz.policy.documents.values import (
    AnyText,
    Checked,
    Choice,
    Duration,
    Fits,
    Many,
    Maybe,
    Name,
    PlainMap,
    nearest,
    whole,
)
from authz.policy.source import Mapping, Number, Scalar, Text, quoted

PART = r"^[^/]+/[^/]+$"
_PART = re.compile(PART)
_EFFECTS = tuple(effect.value for effect in Effect)
_WORDS = (*_EFFECTS, *(reason.value for reason in Reason))


def part(text: Text) -> Text:
    """Return the name of a part of a document: `document/rule`, `document/limit`."""
    if not _PART.fullmatch(text):
        grammar.refuse(text, Code.NAME, f"{quoted(text)} names no part of a document", 'write "document/rule"')
    return text


def verdict(scalar: Scalar) -> Scalar:
    """Return a word for an answer: a decision, a reason or a status."""
    if isinstance(scalar, Number):
        grammar.whole(scalar, 100, 599)
    elif scalar not in _WORDS:
        meant = nearest(scalar, _WORDS)
        hint = f'did you mean "{meant}"?' if meant else "allow, deny, redirect, a reason, or a status"
        grammar.refuse(scalar, Code.CHOICE, f"{quoted(scalar)} is no decision, reason or status", hint)
    return scalar


PartName = Annotated[Text, Fits((Text,), part, type="string", pattern=PART)]
Word = Annotated[
    Scalar,
    Fits((Text, Number), verdict, anyOf=[{"enum": list(_WORDS)}, {"type": "integer", "minimum": 100, "maximum": 599}]),
]


class Expectation(Checked):
    """What must be so of an answer."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    decision: Maybe[Choice[Effect]] = Field(default=None, description="What is decided.", examples=["allow"])
    status: Maybe[Annotated[int, whole(100, 599)]] = Field(
        default=None, description="The HTTP status; that of an allow is 200.", examples=[403]
    )
    reason: Maybe[Choice[Reason]] = Field(default=None, description="Why.", examples=["no_rule"])
    policy: Maybe[Name] = Field(default=None, description="The document that settled it.", examples=["orders"])
    rule: Maybe[PartName] = Field(
        default=None, description="The rule or validation that settled it.", examples=["orders/readers"]
    )
    limit: Maybe[PartName] = Field(
        default=None, description="A limit that is exhausted.", examples=["orders/per-subject"]
    )
    retry_after: Maybe[Duration] = Field(
        default=None, description="When to come back, in whole seconds.", examples=["45s"]
    )
    message: Maybe[AnyText] = Field(default=None, description="What the caller is told.", examples=["Closed."])
    location: Maybe[AnyText] = Field(
        default=None, description="Where the caller is sent.", examples=["https://login.example.com/"]
    )
    body: Maybe[AnyText] = Field(
        default=None, description="The whole body of the answer.", examples=["<h1>Closed</h1>"]
    )
    json_body: Maybe[PlainMap] = Field(
        default=None,
        alias="json",
        description="Members of the answer's JSON body.",
        examples=[{"title": "Forbidden"}],
    )
    request_headers: dict[SentHeader, Values] = Field(
        default_factory=dict,
        description="Headers that are written to the request on its way up.",
        examples=[{"x-subject": "alice"}],
    )
    removed_headers: Maybe[Many[SentHeader]] = Field(
        default=None, description="Headers the upstream does not get to see.", examples=[["authorization"]]
    )
    response_headers: dict[SentHeader, Values] = Field(
        default_factory=dict, description="Headers of the answer.", examples=[{"cache-control": "private"}]
    )
    query: dict[AnyText, AnyText] = Field(
        default_factory=dict, description="Query parameters that are written.", examples=[{"tenant": "acme"}]
    )
    removed_query: Maybe[Many[AnyText]] = Field(
        default=None, description="Query parameters the upstream does not get to see.", examples=[["debug"]]
    )
    metadata: PlainMap = Field(
        default_factory=dict, description="What rules tell Envoy's later filters.", examples=[{"tenant": "acme"}]
    )
    would_deny: Maybe[Many[AnyText]] = Field(
        default=None,
        description="Documents or rules in shadow that would have denied.",
        examples=[["next-orders/readers"]],
    )
    would_limit: Maybe[Many[PartName]] = Field(
        default=None, description="Limits in shadow that would have been over.", examples=[["orders/burst"]]
    )
    errors: Maybe[Many[PartName]] = Field(
        default=None, description="Rules, validations or limits that had no value.", examples=[["orders/own-tenant"]]
    )

    _written: dict[str, Scalar] = PrivateAttr(default_factory=dict)

    def written(self, key: str) -> Scalar | None:
        """Return where a key of the expectation is written: the key itself, or the word that says it."""
        return self._written.get(key) or self._written.get("")

    def noting(self, node: object) -> Expectation:
        """Return this, having noted where it is written."""
        keys = node.written() if isinstance(node, Mapping) else ()
        self._written.update({str(key): key for key in keys} if not isinstance(node, Scalar) else {"": node})
        return self

    @classmethod
    def conflicts(cls, node: Mapping) -> Iterator[Fault]:
        """Yield a fault for an expectation that anything would meet."""
        if not node:
            yield node.fault(Code.MISSING_KEY, "the expectation says nothing", hint="write allow, deny or a status")


class _Short:
    """The short form of an expectation: `allow`, `rate_limited`, `403`."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"enum": list(_WORDS)}, {"type": "integer", "minimum": 100, "maximum": 599}, handler(core)]}


def expectation(word: Scalar) -> Expectation:
    """Return what a word says of an answer; raise `Unfit` where it says nothing."""
    written = verdict(word)
    if isinstance(written, Number):
        said = Expectation.model_construct(status=int(written))
    elif written in _EFFECTS:
        said = Expectation.model_construct(decision=Effect(written))
    else:
        said = Expectation.model_construct(reason=Reason(written))
    return said.noting(word)


def _noted(node: object, validate: Callable[[object], Expectation]) -> Expectation:
    return expectation(node) if isinstance(node, Scalar) else validate(node).noting(node)


Expected = Annotated[Expectation, WrapValidator(_noted), _Short()]
