"""The rules of a document: what is allowed, denied or sent elsewhere, and what the answer carries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from authz.errors import Fault
from authz.model import Effect, Mode
from authz.policy.codes import Code
from authz.policy.documents.answers import AnyBody, Cookies, Query, RequestHeaders, ResponseHeaders
from authz.policy.documents.values import (
    AnyText,
    Cel,
    Checked,
    Choice,
    HostPattern,
    Location,
    Many,
    Maybe,
    Name,
    Template,
    exactly_one,
    shared,
    whole,
)
from authz.policy.source import Mapping, Scalar

_EFFECTS = ("allow", "deny", "redirect")
_BELONGS = {
    "request_headers": ("allow",),
    "query": ("allow",),
    "status": ("deny", "redirect"),
    "message": ("deny", "redirect"),
    "body": ("deny", "redirect"),
    "allowed_hosts": ("redirect",),
}
OURS = frozenset({"decision_id", "policy", "rule", "reason", "limit", "limit_outcome", "would_limit"})
"""Keys of the metadata that say what was decided, and are written last."""

_STATUSES = {
    "deny": (range(400, 600), "from 400 to 599"),
    "redirect": ((301, 302, 303, 307, 308), "301, 302, 303, 307 or 308"),
}


def _one_effect(schema: dict[str, Any]) -> None:
    schema["oneOf"] = [{"required": [effect]} for effect in _EFFECTS]


def _without_allow(schema: dict[str, Any]) -> None:
    for key in ("allow", "request_headers", "query"):
        del schema["properties"][key]
    schema["oneOf"] = [{"required": ["deny"]}, {"required": ["redirect"]}]


class Rule(Checked):
    """One rule: exactly one of `allow` and `deny` (conditions) and `redirect` (where to)."""

    model_config = ConfigDict(json_schema_extra=_one_effect)

    name: Name = Field(description="What records and tests call the rule.", examples=["readers"])
    allow: Maybe[Cel] = Field(
        default=None,
        description="CEL: where it holds, this policy allows the request.",
        examples=['"orders:read" in identity.scopes'],
    )
    deny: Maybe[Cel] = Field(
        default=None,
        description="CEL: where it holds, or has no value, the request is denied.",
        examples=['data.freeze.active && request.method != "GET"'],
    )
    redirect: Maybe[Location] = Field(
        default=None,
        description="Where the caller is sent; `${...}` is CEL.",
        examples=["https://login.example.com/?next=${url.encode(request.url)}"],
    )
    allowed_hosts: Many[HostPattern] = Field(
        default=(),
        description="Hosts a redirect may lead to where `${...}` says which, beside the request's own.",
        examples=[["login.example.com", "*.shop.example.com"]],
    )
    when: Maybe[Cel] = Field(
        default=None,
        description="CEL: where it does not hold, the rule is not asked.",
        examples=["!identity.authenticated"],
    )
    mode: Choice[Mode] = Field(
        default=Mode.ENFORCE,
        description="`shadow`: evaluate and record, and change no answer; `off`: not even that.",
        examples=["shadow"],
    )
    status: Maybe[Annotated[int, whole(300, 599)]] = Field(
        default=None,
        description="The HTTP status of the answer: 400 to 599 for deny, 301, 302, 303, 307 or 308 for redirect.",
        examples=[403],
    )
    message: Maybe[Template] = Field(
        default=None,
        description="What the caller is told; `${...}` is CEL.",
        examples=["Orders are read-only during the freeze."],
    )
    body: Maybe[AnyBody] = Field(
        default=None,
        description="The whole body of the answer, instead of application/problem+json: a text, or several forms.",
        examples=["Closed.", {"html": "<h1>Closed</h1>", "json": {"error": "closed"}}],
    )
    request_headers: RequestHeaders = Field(
        default_factory=shared(RequestHeaders()),
        description="What happens to the request's headers where an allow rule holds.",
        examples=[{"set": {"x-subject": "${identity.subject}"}, "remove": ["authorization"]}],
    )
    response_headers: ResponseHeaders = Field(
        default_factory=shared(ResponseHeaders()),
        description="What happens to the answer's headers.",
        examples=[{"set": {"cache-control": "private"}}],
    )
    cookies: Cookies = Field(
        default_factory=shared(Cookies()),
        description="Cookies that the answer sets, and those of the request that go no further.",
        examples=[{"set": {"seen": {"value": "1"}}, "remove": ["session"]}],
    )
    query: Query = Field(
        default_factory=shared(Query()),
        description="What happens to the request's query where an allow rule holds.",
        examples=[{"set": {"tenant": "${identity.claims.tenant}"}, "remove": ["debug"]}],
    )
    metadata: dict[AnyText, Template] = Field(
        default_factory=dict,
        description="Dynamic metadata for Envoy; `${...}` is CEL, and one whole `${...}` keeps its type.",
        examples=[{"tenant": "${identity.claims.tenant}"}],
    )

    @property
    def effect(self) -> Effect:
        """Return which of `allow`, `deny` and `redirect` the rule is."""
        if self.allow is not None:
            return Effect.ALLOW
        return Effect.DENY if self.deny is not None else Effect.REDIRECT

    @classmethod
    def conflicts(cls, node: Mapping) -> Iterator[Fault]:
        """Yield a fault unless the rule has one effect, and for keys and statuses that do not belong to it."""
        yield from exactly_one(node, _EFFECTS, "a rule")
        effect = next((str(key) for key in node if key in _EFFECTS), None)
        if effect is None:
            return
        for key in node.written():
            if effect not in _BELONGS.get(key, _EFFECTS):
                yield key.fault(
                    Code.TOGETHER,
                    f'"{key}" has no meaning in a rule that says {effect}',
                    hint=f"it belongs to {' and '.join(_BELONGS[key])}",
                )
        yield from _ours(node.get("metadata"))
        cookies = node.get("cookies")
        if effect != "allow" and isinstance(cookies, Mapping) and "remove" in cookies:
            yield cookies.key("remove").fault(Code.TOGETHER, f'"remove" has no meaning in a rule that says {effect}')
        statuses, hint = _STATUSES.get(effect, ((), ""))
        status = node.get("status")
        if hint and isinstance(status, Scalar) and status.isdecimal() and int(status[:9]) not in statuses:
            yield status.fault(Code.RANGE, f"{effect} cannot answer {status}", hint=hint)


def _ours(metadata: object) -> Iterator[Fault]:
    """Yield a fault for what a rule would write in vain."""
    for key in metadata.written() if isinstance(metadata, Mapping) else ():
        if key in OURS:
            message = f'the metadata already says "{key}" of the decision'
            yield key.fault(Code.NAME_TAKEN, message, hint="give it another name")


class GuardrailRule(Rule):
    """A rule that no policy can widen: `deny` or `redirect`."""

    model_config = ConfigDict(json_schema_extra=_without_allow)

    @classmethod
    def conflicts(cls, node: Mapping) -> Iterator[Fault]:
        """Yield also a fault for a rule that allows."""
        for key in node.written():
            if key == "allow":
                yield key.fault(Code.GUARDRAIL, "a guardrail never allows", hint="write a Policy, or deny the contrary")
        yield from super().conflicts(node)
