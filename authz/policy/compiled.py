"""Documents as requests meet them: every expression compiled, every default settled, nothing left to look up.

Values only; `compiling` makes them, `deciding` puts those that govern a request in order and asks them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authz import model
    from authz.cel import Attribute
    from authz.model import Ambiguity, Effect, Mode
    from authz.policy.cors import Cors
    from authz.policy.destinations import Destination
    from authz.policy.facts import Api, BodyValidator, TextsValidator
    from authz.policy.messages import Messages
    from authz.policy.representations import Representation
    from authz.policy.template import Template
    from authz.policy.terms import Keys, Term


class HeaderChange(msgspec.Struct, frozen=True, kw_only=True):
    """One header to write."""

    name: str
    value: Template
    append: bool = False


class CookieChange(msgspec.Struct, frozen=True, kw_only=True):
    """One cookie to set; `attributes` are what follows its value, as it is written."""

    name: str
    value: Template
    attributes: str


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What the answer carries when a rule holds; `metadata` values keep their type where they are one expression."""

    request_headers: tuple[HeaderChange, ...] = ()
    request_headers_remove: tuple[str, ...] = ()
    response_headers: tuple[HeaderChange, ...] = ()
    cookies: tuple[CookieChange, ...] = ()
    cookies_remove: tuple[str, ...] = ()
    query_set: tuple[tuple[str, Template], ...] = ()
    query_remove: tuple[str, ...] = ()
    metadata: tuple[tuple[str, Template], ...] = ()


NO_CHANGES = Changes()

POLICY = "Policy"
"""The kind that allows."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule: it holds where `when` and `test` do, each of them only if it is given.

    `body` are the forms its body has, none where it writes none.
    """

    name: str
    effect: Effect
    mode: Mode
    status: int
    when: Term | None
    test: Term | None
    message: Template | None
    body: tuple[Representation, ...]
    location: Destination | None
    changes: Changes


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """An API whose requests must be as it is described.

    `refuses` says that what it does not speak of is refused, else recorded; `provers` are the providers that prove its
    security schemes, by scheme, `None` where nobody asks who is calling.
    """

    api: Api
    refuses: bool
    provers: Mapping[str, str] | None


class Validation(msgspec.Struct, frozen=True, kw_only=True):
    """What a request must look like, where `when` holds; of `validator` and `form` at most one reads the body."""

    name: str
    when: Term | None = None
    content_type: str | None = None
    max_bytes: int | None = None
    validator: BodyValidator | None = None
    form: TextsValidator | None = None
    query: TextsValidator | None = None
    headers: TextsValidator | None = None
    params: TextsValidator | None = None
    described: Described | None = None

    @property
    def reads_body(self) -> bool:
        """Return whether it looks at the body."""
        asks = self.content_type, self.max_bytes, self.validator, self.form, self.described
        return any(each is not None for each in asks)

    @property
    def reads_headers(self) -> frozenset[str]:
        """Return the headers it looks at, beside those of the body."""
        names = frozenset() if self.headers is None else self.headers.names
        return names if self.described is None else names | self.described.api.headers


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """One limit, and how a request's key and cost are found; no `cost` is 1."""

    name: str
    limit: model.Limit
    when: Term | None
    key: tuple[Term, ...]
    cost: Term | None


class Document(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A policy or a guardrail.

    `permits` are the ambiguities it says how to read, `providers` those whose identities it accepts (none named: any),
    `audience` who is to believe what we say of them. `variables` are what it defines itself, by full name; `early` the
    names to bind before it is asked and `late` those that are bound when they are needed (see `terms`). `reads` is
    everything that it reads.
    """

    kind: str
    name: str
    mode: Mode
    permits: frozenset[Ambiguity]
    providers: tuple[str, ...]
    identity_required: bool
    audience: str | None
    validations: tuple[Validation, ...]
    rules: tuple[Rule, ...]
    limits: tuple[Limit, ...]
    variables: Mapping[str, Term]
    early: Mapping[str, Keys]
    late: frozenset[str]
    reads: tuple[Attribute, ...] = ()
    cors: Cors | None = None
    messages: tuple[Messages, ...] = ()

    @property
    def is_policy(self) -> bool:
        """Return whether it can allow."""
        return self.kind == POLICY
