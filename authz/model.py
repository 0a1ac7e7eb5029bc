"""The vocabulary: the values that travel through the way of a request.

Frozen, slotted, keyword-only, without I/O and without behaviour beyond a derived property. `msgspec.Struct`
because building a frozen dataclass of this width costs a tenth of a decision. `None` means "not applicable".
A stage takes these and returns these; nobody changes one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Any, Protocol

import msgspec


class Effect(StrEnum):
    """What happens to the request; `ANSWER`: it is answered here, for it asks nothing of what is behind us."""

    ALLOW = "allow"
    DENY = "deny"
    REDIRECT = "redirect"
    ANSWER = "answer"


class Mode(StrEnum):
    """How far a document, rule or limit may go."""

    ENFORCE = "enforce"
    SHADOW = "shadow"
    OFF = "off"


class Reason(StrEnum):
    """Why: the same word in code, metric label, record, problem+json and docs. Closed."""

    ALLOWED = "allowed"
    DENY_RULE = "deny_rule"
    REDIRECT_RULE = "redirect_rule"
    PREFLIGHT = "preflight"
    NO_POLICY = "no_policy"
    NO_RULE = "no_rule"
    RULE_ERROR = "rule_error"
    UNAUTHENTICATED = "unauthenticated"
    INVALID_CREDENTIALS = "invalid_credentials"
    IDENTITY_UNAVAILABLE = "identity_unavailable"
    INVALID_BODY = "invalid_body"
    BODY_TOO_LARGE = "body_too_large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    RATE_LIMITED = "rate_limited"
    LIMITER_DEGRADED = "limiter_degraded"
    AMBIGUOUS_REQUEST = "ambiguous_request"
    MALFORMED = "malformed"
    OVERLOADED = "overloaded"
    DEADLINE = "deadline"
    CANCELLED = "cancelled"
    INTERNAL_ERROR = "internal_error"


STATUS: Mapping[Reason, int] = {
    Reason.ALLOWED: 200,
    Reason.DENY_RULE: 403,
    Reason.REDIRECT_RULE: 302,
    Reason.PREFLIGHT: 204,
    Reason.NO_POLICY: 403,
    Reason.NO_RULE: 403,
    Reason.RULE_ERROR: 403,
    Reason.UNAUTHENTICATED: 401,
    Reason.INVALID_CREDENTIALS: 401,
    Reason.IDENTITY_UNAVAILABLE: 503,
    Reason.INVALID_BODY: 400,
    Reason.BODY_TOO_LARGE: 413,
    Reason.UNSUPPORTED_MEDIA_TYPE: 415,
    Reason.RATE_LIMITED: 429,
    Reason.LIMITER_DEGRADED: 503,
    Reason.AMBIGUOUS_REQUEST: 400,
    Reason.MALFORMED: 400,
    Reason.OVERLOADED: 503,
    Reason.DEADLINE: 503,
    Reason.CANCELLED: 503,
    Reason.INTERNAL_ERROR: 500,
}
"""The HTTP status a reason answers with unless a rule says another."""


class BodyState(StrEnum):
    """What is known of the request's body (POLICY.md, section 4)."""

    ABSENT = "absent"
    COMPLETE = "complete"
    TRUNCATED = "truncated"
    UNAVAILABLE = "unavailable"
    INVALID = "invalid"


class Peer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One end of the connection. `ip` is canonical text, IPv4-mapped addresses unmapped; `""` and 0 when unknown."""

    ip: str = ""
    port: int = 0
    principal: str = ""
    service: str = ""
    labels: Mapping[str, str] = {}
    certificate: str = ""


class Ambiguity(StrEnum):
    """What makes a path readable in two ways, where a document may say which one is meant."""

    ENCODED_SLASH = "encoded_slash"
    PATH_PARAMETERS = "path_parameters"


class Location(msgspec.Struct, frozen=True, kw_only=True):
    """Where an address is, as far as that is known: a country (ISO 3166-1), an autonomous system and who runs it."""

    country: str | None = None
    asn: int | None = None
    organization: str | None = None


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request, read one way.

    `path` is canonical (POLICY.md, section 5) and has no query; `query` is the raw text behind the first `?`.
    `ambiguities` names what the path holds that only a document can permit; a request with any is refused
    unless every selected document permits it. `headers` are lower case without pseudo headers, values of a
    repeated header joined by `,` (both of Envoy's encodings end here). `invalid_headers` are names whose bytes are
    no UTF-8: they are not in `headers`, and reading any of them is an error. `envoy` is the parsed
    `envoy.service.auth.v3.AttributeContext`, for `attributes` and the rarely read. `time` is seconds since the epoch.
    """

    id: str
    method: str
    scheme: str
    host: str
    port: int
    path: str
    query: str
    protocol: str
    time: float
    headers: Mapping[str, str]
    invalid_headers: frozenset[str] = frozenset()
    ambiguities: frozenset[Ambiguity] = frozenset()
    body: bytes = b""
    body_state: BodyState = BodyState.ABSENT
    source: Peer
    destination: Peer
    extensions: Mapping[str, str] = {}
    envoy: Any = None


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who is calling, verified; `ANONYMOUS` when nobody proved anything.

    `error` is set when a credential was presented and is bad: the caller is then nobody, and is told so. `detail` says
    why, to the operator only, and never repeats the credential. `challenge` is what a 401 carries in
    `WWW-Authenticate`.
    """

    authenticated: bool = False
    provider: str = ""
    subject: str = ""
    issuer: str = ""
    roles: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    claims: Mapping[str, Any] = {}
    key_id: str = ""
    expires: float | None = None
    error: Reason | None = None
    challenge: str = ""
    detail: str = ""


ANONYMOUS = Identity()


class Algorithm(StrEnum):
    """How a limit counts."""

    SLIDING_WINDOW = "sliding-window"
    TOKEN_BUCKET = "token-bucket"  # noqa: S105 - the algorithm's name
    FIXED_WINDOW = "fixed-window"


class Align(StrEnum):
    """What a fixed window is a piece of, where it is one of the calendar."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


class Scope(StrEnum):
    """Where a limit is spent: at its store, or in each process from blocks that its store has charged ahead."""

    EXACT = "exact"
    LEASED = "leased"


class OnError(StrEnum):
    """What a limit answers while its store does not."""

    LOCAL = "local"
    ALLOW = "allow"
    DENY = "deny"


class Count(StrEnum):
    """Which requests a limit counts."""

    ALLOWED = "allowed"
    DENIED = "denied"
    ALL = "all"


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """How often: the part of a limit that no request changes. `name` is `document/limit`; `period` is seconds.

    `burst` is for the token bucket only and defaults to `requests`. `align` is for the fixed window only, whose windows
    are then those of the calendar of `time_zone` (an IANA name), and `period` the longest that they usually are.
    """

    name: str
    requests: int
    period: float
    algorithm: Algorithm = Algorithm.SLIDING_WINDOW
    burst: int | None = None
    align: Align | None = None
    time_zone: str = "UTC"
    count: Count = Count.ALLOWED
    mode: Mode = Mode.ENFORCE
    on_error: OnError = OnError.LOCAL
    scope: Scope = Scope.EXACT


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    """What one request wants from one limit. `key` is the caller's part, a text per key expression."""

    limit: Limit
    key: tuple[str, ...]
    cost: int = 1


class LimitOutcome(StrEnum):
    """What one limit said to one charge."""

    OK = "ok"
    OVER = "over"
    WOULD_LIMIT = "would_limit"
    DEGRADED_ALLOW = "degraded_allow"
    DEGRADED_DENY = "degraded_deny"


class LimitUsage(msgspec.Struct, frozen=True, kw_only=True):
    """What one limit answered.

    `remaining` requests are left at this moment; `reset` seconds until the limit is whole again, `retry_after`
    seconds until one more charge of this cost would fit if nobody else comes (`None` unless over).
    """

    charge: Charge
    outcome: LimitOutcome
    remaining: int
    reset: float
    retry_after: float | None = None


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What all limits answered together: all were charged, or none was."""

    admitted: bool
    limits: tuple[LimitUsage, ...] = ()


UNLIMITED = Usage(admitted=True)


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


class DocumentTrace(msgspec.Struct, frozen=True, kw_only=True):
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

    written: tuple[object, bytes] | None

    def entries(self) -> Sequence[Read]:
        """Return every attribute that the documents which governed the request read."""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
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
    none to read. `id` is fresh for every check. `started` is seconds since the epoch, `duration` seconds.
    `parent_span` is the caller's span if it records its trace and we are to add to it.
    """

    id: str
    decision: Decision
    request: Request | None
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
