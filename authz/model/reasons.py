"""What happens to a request, and why: the closed sets whose words are the same in code, metrics, records and docs."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


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
    UNRECORDED = "unrecorded"
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
    Reason.UNRECORDED: 503,
    Reason.DEADLINE: 503,
    Reason.CANCELLED: 503,
    Reason.INTERNAL_ERROR: 500,
}
"""The HTTP status a reason answers with unless a rule says another."""
