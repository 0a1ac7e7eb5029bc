"""The rules of a document: what is allowed, denied or sent elsewhere, and what the answer carries."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from authz.model import Effect, Mode
from authz.policy.documents.values import (
    Cel,
    HeaderName,
    HeaderTemplate,
    Location,
    Many,
    Maybe,
    Name,
    Part,
    Template,
    Words,
    whole,
)


class RequestHeaders(Part):
    """What happens to the request's headers: `set` replaces, `append` adds beside, `remove` takes away."""

    set: dict[HeaderName, HeaderTemplate] = Field(default_factory=dict)
    append: dict[HeaderName, HeaderTemplate] = Field(default_factory=dict)
    remove: Many[HeaderName] = ()


class ResponseHeaders(Part):
    """What happens to the answer's headers; Envoy lets an authorization service set and add, but not remove them."""

    set: dict[HeaderName, HeaderTemplate] = Field(default_factory=dict)
    append: dict[HeaderName, HeaderTemplate] = Field(default_factory=dict)


class Query(Part):
    """What happens to the request's query on its way up."""

    set: dict[Words, Template] = Field(default_factory=dict)
    remove: Many[Words] = ()


class Rule(Part):
    """One rule: exactly one of `allow`, `deny` (conditions) and `redirect` (where to)."""

    name: Name
    allow: Maybe[Cel] = None
    deny: Maybe[Cel] = None
    redirect: Maybe[Location] = None
    when: Maybe[Cel] = None
    mode: Annotated[Mode, Field(strict=False)] = Mode.ENFORCE
    status: Maybe[Annotated[int, whole(300, 599)]] = None
    message: Maybe[Template] = None
    body: Maybe[Template] = None
    request_headers: RequestHeaders = RequestHeaders()
    response_headers: ResponseHeaders = ResponseHeaders()
    query: Query = Query()
    metadata: dict[Words, Template] = Field(default_factory=dict)

    @property
    def effect(self) -> Effect:
        """Return which of `allow`, `deny` and `redirect` the rule is."""
        if self.allow is not None:
            return Effect.ALLOW
        return Effect.DENY if self.deny is not None else Effect.REDIRECT


class GuardrailRule(Rule):
    """A rule that no policy can widen: `deny` or `redirect`."""
