"""What a decision is made from, and what policies ask of a body.

The facts of one request, gathered before the policies are asked: the request, who is calling, what is being
sent. The protocols say what this package needs of `content` without knowing it. No behaviour lives here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from authz.model import Identity, Request


class Body(Protocol):
    """The body of one request, read only when somebody asks."""

    def json(self) -> object:
        """Return the body as plain values; raise `ValueError` where it is no complete, valid JSON document.

        Parsed at most once: asked again, it answers (or raises) the same.
        """


class BodyValidator(Protocol):
    """One JSON Schema, compiled."""

    def fault(self, value: object) -> str | None:
        """Return the first thing that is wrong with a parsed body, for the operator, or `None`."""


class BodyValidators(Protocol):
    """What makes validators at load, so that a bad schema is a fault of the policy and not of a request."""

    def compile(self, schema: object, resolve: Callable[[str], bytes] | None = None) -> BodyValidator:
        """Return the validator of a parsed JSON Schema (2020-12); raise `ValueError` where it is none.

        `resolve` gives the bytes of another schema by its path from this one, or raises `LookupError`.
        """


class UnboundError(Exception):
    """A name that has no value for this request; the message says why, for the operator."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the policies may read of one request. `client_ip` is the caller behind trusted hops, else the peer."""

    request: Request
    identity: Identity
    body: Body
    client_ip: str
