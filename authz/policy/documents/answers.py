"""What an answer carries: headers both ways, cookies, the query that goes on, and the body of one that is no allow.

Names are checked here, for whatever Envoy would refuse or drop in silence is a fault where it stands. Texts are
templates, which only compiling can judge; values that a request fills in are checked when they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Discriminator, Field, Tag

from authz.errors import Fault
from authz.policy.codes import Code
from authz.policy.documents.values import (
    Age,
    Checked,
    Choice,
    CookieName,
    CookieTemplate,
    Domain,
    Flag,
    HeaderName,
    HeaderTemplate,
    JsonTemplate,
    Many,
    Maybe,
    SomeText,
    Template,
    UrlPath,
)
from authz.policy.source import Mapping, Scalar, Sequence, Text

_HOLE = re.compile(r"(?<!\$)\$\{")
_CAREFUL = {
    "location": "a rule that says redirect leads where it may",
    "refresh": "a rule that says redirect leads where it may",
    "set-cookie": "write cookies: {set: ...}, whose values can add nothing",
}
"""Headers in which a value that callers choose would say more than a value."""


class Writing(Checked):
    """Names and what is written there; a name is written in one way only."""

    @classmethod
    def conflicts(cls, node: Mapping) -> Iterator[Fault]:
        """Yield a fault for a name that one key sets and another removes, or adds to."""
        seen: dict[str, str] = {}
        for way, names in node.items():
            for name in names if isinstance(names, Mapping | Sequence) else ():
                if isinstance(name, Text) and seen.setdefault(name, way) != way:
                    yield name.fault(Code.TOGETHER, f'"{name}" is already given under "{seen[name]}"')


class RequestHeaders(Writing):
    """What happens to the headers of the request on its way to the upstream."""

    set: dict[HeaderName, HeaderTemplate] = Field(
        default_factory=dict,
        description="Headers to write, replacing what the client sent; `${...}` is CEL.",
        examples=[{"x-subject": "${identity.subject}"}],
    )
    append: dict[HeaderName, HeaderTemplate] = Field(
        default_factory=dict,
        description="Headers to add beside what the client sent; `${...}` is CEL.",
        examples=[{"x-seen-by": "authz"}],
    )
    remove: Many[HeaderName] = Field(
        default=(), description="Headers the upstream does not get to see.", examples=[["authorization"]]
    )


class ResponseHeaders(Writing):
    """What happens to the headers of the answer. Envoy lets an authorization service write them, not remove them."""

    set: dict[HeaderName, HeaderTemplate] = Field(
        default_factory=dict,
        description="Headers to write, replacing those of the upstream; `${...}` is CEL.",
        examples=[{"cache-control": "private"}],
    )
    append: dict[HeaderName, HeaderTemplate] = Field(
        default_factory=dict,
        description="Headers to add beside those of the upstream; `${...}` is CEL.",
        examples=[{"set-cookie": "seen=1"}],
    )

    @classmethod
    def conflicts(cls, node: Mapping) -> Iterator[Fault]:
        """Yield also a fault where a request would fill in what another key is careful with: targets, cookies."""
        yield from super().conflicts(node)
        for names in (node.get("set"), node.get("append")):
            for name, value in names.items() if isinstance(names, Mapping) else ():
                if name in _CAREFUL and isinstance(value, Text) and _HOLE.search(value):
                    yield value.fault(Code.HEADER, f'"{name}" is not filled in by requests here', hint=_CAREFUL[name])


class Query(Writing):
    """What happens to the query of the request on its way to the upstream."""

    set: dict[SomeText, Template] = Field(
        default_factory=dict,
        description="Parameters to write, replacing those of the same name; `${...}` is CEL.",
        examples=[{"tenant": "${identity.claims.tenant}"}],
    )
    remove: Many[SomeText] = Field(
        default=(), description="Parameters the upstream does not get to see.", examples=[["debug"]]
    )


class SameSite(StrEnum):
    """Whether a cookie travels with requests that other sites cause."""

    STRICT = "Strict"
    LAX = "Lax"
    NONE = "None"


class Cookie(Checked):
    """One cookie of the answer. What is not said is as strict as browsers know it (RFC 6265bis)."""

    value: CookieTemplate = Field(description="The value; `${...}` is CEL.", examples=["${identity.claims.theme}"])
    max_age: Maybe[Age] = Field(
        default=None,
        description="How long it is kept, in whole seconds; `0s` deletes it. Left out: until the browser is closed.",
        examples=["7d"],
    )
    path: UrlPath = Field(default="/", description="The paths it is sent to.", examples=["/app"])
    domain: Maybe[Domain] = Field(
        default=None,
        description="The domain it is sent to, with all hosts below. Left out: this host alone.",
        examples=["example.com"],
    )
    secure: Flag = Field(default=True, description="Whether it is sent over TLS only.", examples=[True])
    http_only: Flag = Field(default=True, description="Whether scripts are kept from it.", examples=[True])
    same_site: Choice[SameSite] = Field(
        default=SameSite.LAX,
        description="`Strict`, `Lax` or `None`: whether it travels with requests that other sites cause.",
        examples=["Strict"],
    )

    @classmethod
    def conflicts(cls, node: Mapping) -> Iterator[Fault]:
        """Yield a fault for what browsers would drop: `SameSite=None` without `Secure`."""
        if node.get("same_site") == "None" and node.get("secure") == "false":
            yield node.key("secure").fault(Code.TOGETHER, "browsers drop a cookie of same_site None that is not secure")


class Cookies(Writing):
    """Cookies that the answer sets, and those of the request that the upstream does not get to see."""

    set: dict[CookieName, Cookie] = Field(
        default_factory=dict,
        description="Cookies to set, by name.",
        examples=[{"seen": {"value": "1", "max_age": "30d"}}],
    )
    remove: Many[CookieName] = Field(
        default=(),
        description="Cookies of the request that the upstream does not get to see, where an allow rule holds.",
        examples=[["session"]],
    )

    @classmethod
    def conflicts(cls, node: Mapping) -> Iterator[Fault]:
        """Yield a fault for a name with a prefix whose promise its cookie breaks; browsers would drop it."""
        cookies = node.get("set")
        for name, cookie in cookies.items() if isinstance(cookies, Mapping) else ():
            if isinstance(name, Text) and isinstance(cookie, Mapping):
                yield from _broken_promises(name, cookie)


def _broken_promises(name: Text, cookie: Mapping) -> Iterator[Fault]:
    """Yield a fault for each thing that `__Secure-` and `__Host-` rule out (RFC 6265bis, section 4.1.3)."""
    prefix = next((prefix for prefix in ("__Secure-", "__Host-") if name.lower().startswith(prefix.lower())), None)
    if prefix is None:
        return
    if cookie.get("secure") == "false":
        yield cookie.key("secure").fault(Code.TOGETHER, f"a cookie whose name begins with {prefix} is secure")
    if prefix == "__Host-":
        if "domain" in cookie:
            yield cookie.key("domain").fault(Code.TOGETHER, f"a cookie whose name begins with {prefix} has no domain")
        if cookie.get("path", "/") != "/":
            yield cookie.key("path").fault(Code.TOGETHER, f"a cookie whose name begins with {prefix} has the path /")


class Body(Checked):
    """The body of an answer in several forms; callers get the one they prefer (`Accept`), in doubt JSON, then text."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    html: Maybe[Template] = Field(
        default=None,
        description="A page: what `${...}` stands for is escaped, and may stand in text and quoted attributes only.",
        examples=["<h1>Closed</h1><p>${request.path} is closed.</p>"],
    )
    json_value: Maybe[JsonTemplate] = Field(
        default=None,
        alias="json",
        description="JSON, its texts with `${...}`; one whole `${...}` keeps its type.",
        examples=[{"error": "closed", "path": "${request.path}"}],
    )
    text: Maybe[Template] = Field(
        default=None, description="Plain text; `${...}` is CEL.", examples=["${request.path} is closed."]
    )

    @classmethod
    def conflicts(cls, node: Mapping) -> Iterator[Fault]:
        """Yield a fault for a body without a form."""
        if not node:
            yield node.fault(Code.MISSING_KEY, "a body says one or more of html, json and text")


def _body_form(node: object) -> str:
    return "text" if isinstance(node, Scalar) else "forms"


AnyBody = Annotated[Annotated[Template, Tag("text")] | Annotated[Body, Tag("forms")], Discriminator(_body_form)]
"""A body: one text, or several forms."""
