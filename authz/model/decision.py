"""What the policies say of a request, and everything the record says of the answer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Any, Protocol

import msgspec
from msgspec import Raw

from authz.model.identity import Identity
from authz.model.limits import Charge, Usage
from authz.model.reasons import Effect, Mode, Reason
from authz.model.request import Request


class HeaderMutation(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One header to write. `append` adds a value beside those that are there; otherwise it replaces them all."""

    name: str
    value: str
    append: bool = False


class Mutations(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer changes: the request on its way up, the response on its way down, Envoy's metadata."""

    request_headers: tuple[HeaderMutation, ...] = ()
    request_headers_remove: tuple[str, ...] = ()
    response_headers: tuple[HeaderMutation, ...] = ()
    query_set: tuple[tuple[str, str], ...] = ()
    query_remove: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = {}


NO_MUTATIONS = Mutations()


class RuleError(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An expression that had no value: where (`document/rule`) and what the engine said."""

    rule: str
    error: str


class Unmet(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One thing in which a request is not what it must be: where, and the schema's word for it; never a value.

    `part` is `body`, `query`, `headers`, `params` or `cookies`; `pointer` a JSON Pointer (RFC 6901) into it.
    """

    part: str
    pointer: str
    keyword: str

    @property
    def told(self) -> str:
        """Return the same in one printable line, for the operator."""
        where = self.pointer.encode("unicode_escape").decode("ascii").replace('"', '\\"')
        return f'{self.part} "{where}" does not meet "{self.keyword}"'


class Objection(msgspec.Struct, frozen=True, kw_only=True):
    """Why what is being sent is refused; `detail` is for the operator and repeats no value."""

    reason: Reason
    status: int
    detail: str
    unmet: tuple[Unmet, ...] = ()


class DocumentTrace(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one selected document said: `rule` is the name that settled it, without the document's name.

    `outcome` is `allow`, `deny`, `redirect`, `none`, or `would_deny` / `would_redirect` for a shadow document or rule.
    """

    name: str
    kind: str
    mode: Mode
    outcome: str
    rule: str | None = None
    error: str | None = None


class Knowing(StrEnum):
    """What is known of something that was read."""

    VALUE = "value"
    ABSENT = "absent"
    UNBOUND = "unbound"


class Read(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One attribute a decision may depend on: a name of the vocabulary and, of a map, one key; `None` is all of it.

    `value` is the value, or why the name has none.
    """

    name: str
    key: str | None
    knowing: Knowing
    value: Any = None

    def __str__(self) -> str:
        return _written(self.name, self.key)


@lru_cache(maxsize=4096)
def _written(name: str, key: str | None) -> str:
    return name if key is None else f"{name}[{json.dumps(key, ensure_ascii=False)}]"


class Reads(Protocol):
    """What a decision depended on, found out when somebody asks. `written` is for whoever writes it down: once."""

    written: tuple[object, Raw] | None

    def entries(self) -> Sequence[Read]:
        """Return every attribute that the documents which governed the request read."""


class Decision(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the policies say, and why, before the limits are asked.

    `policy` and `rule` name what settled it (`None` where no rule did). `location` is for a redirect; `body` is the
    text a rule answers with in place of the problem document, of the type `media_type`. `cors` are the headers that let
    pages of other origins read the answer, whatever becomes of it. `charges` are to be charged together if this
    decision is carried out: for an allow the limits that count it, for a deny those that count denied requests.
    `audiences` are those that policies name to be told who is calling, `unmet` is what a validation found wrong;
    `reads` are what it depended on, `None` where no document was asked.
    """

    effect: Effect
    reason: Reason
    status: int
    policy: str | None = None
    rule: str | None = None
    message: str = ""
    location: str | None = None
    body: str | None = None
    media_type: str = "text/plain; charset=utf-8"
    mutations: Mutations = NO_MUTATIONS
    cors: tuple[HeaderMutation, ...] = ()
    charges: tuple[Charge, ...] = ()
    audiences: tuple[str, ...] = ()
    documents: tuple[DocumentTrace, ...] = ()
    errors: tuple[RuleError, ...] = ()
    unmet: tuple[Unmet, ...] = ()
    reads: Reads | None = None


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one request and everything the record says of it.

    `decision` is final: a limit or a fault has already turned it where it had to. `request` is `None` where there was
    none to read, and `client_ip` is the caller behind trusted hops. `id` is fresh for every check. `started` is seconds
    since the epoch, `duration` seconds. `parent_span` is the caller's span if it records its trace and we are to add to
    it. `tried` is who is calling to what is in shadow, where that is asked apart.
    """

    id: str
    decision: Decision
    request: Request | None
    client_ip: str = ""
    identity: Identity
    usage: Usage
    generation: int
    policy_digest: str
    policy_commit: str = ""
    detail: str = ""
    trace_id: str = ""
    parent_span: str = ""
    started: float = 0.0
    duration: float = 0.0
    tried: Identity | None = None
