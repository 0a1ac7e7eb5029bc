"""What a decision is made from, and what policies ask of a body.

The facts of one request, gathered before the policies are asked: the request, who is calling, what is being
sent. The protocols say what this package needs of `content` without knowing it. No behaviour lives here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import msgspec

from authz.model import Identity, Location, Objection, Reason, Request, Unmet

if TYPE_CHECKING:
    from google.protobuf.descriptor import MethodDescriptor


class Body(Protocol):
    """The body of one request, read only when somebody asks."""

    def json(self) -> object:
        """Return the body as plain values; raise `ValueError` where it is no complete, valid JSON document.

        Parsed at most once: asked again, it answers (or raises) the same.
        """

    def form(self) -> Mapping[str, Sequence[str]]:
        """Return the fields of a form, every value of every name; raise `ValueError` where it is none."""

    def text(self) -> str:
        """Return the body as text; raise `ValueError` where it is none."""


class BodyValidator(Protocol):
    """One JSON Schema, compiled."""

    def unmet(self, value: object) -> tuple[Unmet, ...]:
        """Return what is wrong with a parsed body."""


class TextsValidator(Protocol):
    """One JSON Schema for named texts: a query, a form, headers, path parameters."""

    @property
    def names(self) -> frozenset[str]:
        """Return the names the schema has properties for."""

    def unmet(self, texts: Mapping[str, Sequence[str]], *, separator: str = "") -> tuple[Unmet, ...]:
        """Return what is wrong with some texts; with a `separator`, one text stands for a list."""


class Call(Protocol):
    """One request to one operation of an API."""

    @property
    def undescribed(self) -> tuple[Unmet, ...]:
        """Return the query parameters that the operation does not speak of."""

    def refusal(self, identity: Identity, provers: Mapping[str, str], /) -> Objection | None:
        """Return why the caller may not make the request; `provers` are providers by the schemes they prove."""

    def objection(self, body: Body, /) -> Objection | None:
        """Return why the request is not what the operation wants."""


class Api(Protocol):
    """An API as an OpenAPI document describes it, compiled."""

    @property
    def headers(self) -> frozenset[str]:
        """Return the headers that are looked at."""

    @property
    def demands(self) -> tuple[tuple[str, tuple[frozenset[str], ...]], ...]:
        """Return the operations that ask who is calling, with the security schemes they take: alternatives."""

    def find(self, request: Request) -> Call | None:
        """Return the operation that a request calls, `None` where the API describes none."""


class BodyValidators(Protocol):
    """What makes validators at load, so that a bad schema is a fault of the policy and not of a request."""

    def compile(self, schema: object, resolve: Callable[[str], bytes] | None = None) -> BodyValidator:
        """Return the validator of a parsed JSON Schema (2020-12); raise `ValueError` where it is none.

        The error may have a `path`, of keys and indexes: where in the schema.

        `resolve` gives the bytes of another schema by its path from this one, or raises `LookupError`.
        """

    def compile_texts(self, schema: object, part: str, resolve: Callable[[str], bytes] | None = None) -> TextsValidator:
        """Return the validator of the texts of one part of a request; raise `ValueError` as `compile` does."""

    def compile_api(
        self,
        root: object,
        read: Callable[[str], object],
        tell: Callable[[str, tuple[str | int, ...], str, str, tuple[str, ...]], None],
        unchecked: frozenset[str],
    ) -> Api | None:
        """Return the API that an OpenAPI document describes; tell all that is wrong with it, and return nothing then.

        `read` gives what a file says that the document refers to. What is wrong is told by file (`""` is the document),
        path in it, message, hint, and the words that may stand there. Bodies of `unchecked` types are taken unread.
        """


class Messages(Protocol):
    """The methods that one file of descriptors describes; `digest` is of the file."""

    digest: bytes

    def method(self, service: str, name: str) -> MethodDescriptor | None:
        """Return a method, `None` where the file does not describe it."""


class UnboundError(Exception):
    """A name that has no value for this request; the message says why, for the operator."""


def nowhere(_address: str) -> None:
    """Return that nobody is there to say where an address is."""


UNTOLD = Identity(error=Reason.IDENTITY_UNAVAILABLE)
"""Who is calling, as far as nobody waits to be told."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the policies may read of one request. `client_ip` is the caller behind trusted hops, else the peer.

    `locate` says where an address is, `None` where nothing is there that could say it; it reads memory only.
    `messages` describe gRPC messages; a plan adds those that its documents name. `tried` is who is calling to what is
    in shadow, where that asks further providers, and `UNTOLD` where they had no answer at once; `None`: as to all
    others.
    """

    request: Request
    identity: Identity
    body: Body
    client_ip: str
    locate: Callable[[str], Location | None] = nowhere
    messages: tuple[Messages, ...] = ()
    tried: Identity | None = None
