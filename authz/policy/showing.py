"""The parts of an expression with their values, and none that is a secret.

Which parts are secret follows from what they read, not from how they look: a header that carries credentials by its
name, a key that is computed, the secret of a Data document, a variable that was made of one, and everything that is
made of these: who can have a request explained must not get a signature for it. Of a secret only
its fingerprint is shown, and whether something holds of it. Inside macros a secret may go by another name, so there
all is secret as soon as anything is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from authz.cel import EvaluationError
from authz.policy.attributes import ATTRIBUTES
from authz.policy.explained import ShownPart, ShownTerm

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from authz.cel import Part, Trace

_SELECTS = frozenset({".", "?."})
_INDEXES = frozenset({"[]", "[?]"})
_MACROS = frozenset({"all", "exists", "exists_one", "map", "filter", "bind", "optMap", "optFlatMap"})
_KEYED = frozenset(
    {
        "destination.labels", "identity.claims", "metadata", "request.graphql", "request.grpc_message",
        "request.headers", "request.headers_all", "request.json", "request.mcp", "request.query", "request.query_one",
        "route.metadata", "source.labels",
    }
)  # fmt: skip
"""Maps whose keys tell what is secret in them."""


class Secrets(Protocol):
    """Which values are not to be shown, and what is shown instead."""

    def may_be_told(self, name: str, key: str | None, /) -> bool:
        """Return whether the value of an attribute may be shown."""

    def redacted(self, name: str, value: object, /) -> object:
        """Return a value without what is inside it and is not to be shown."""

    def fingerprint(self, value: object, /) -> object:
        """Return what stands for a value that is not to be shown."""


class Showing:
    """Shows the traces of one document; `closed` are names, besides its own variables, whose values are secret."""

    def __init__(self, secrets: Secrets, closed: Iterable[str] = ()) -> None:
        self._secrets = secrets
        self._closed = set(closed)

    def variable(self, name: str, trace: Trace) -> ShownTerm:
        """Return the trace of a variable for people, and remember whether it holds a secret."""
        if self._is_secret(trace.whole):
            self._closed.add(name)
        return self.term(trace)

    def term(self, trace: Trace) -> ShownTerm:
        """Return a trace for people."""
        return ShownTerm(whole=self._part(trace.whole, trace, secret=False), certain=trace.agrees)

    def value(self, trace: Trace) -> object:
        """Return the value of a trace for people."""
        return self._value(trace.whole, trace.value, secret=self._is_secret(trace.whole))

    def _part(self, part: Part, trace: Trace, *, secret: bool) -> ShownPart:
        own = secret or self._is_secret(part)
        below = secret or (own and part.operator in _MACROS)
        values = trace.values(part)
        errors = [value.message for value in values if isinstance(value, EvaluationError)]
        return ShownPart(
            text=part.text,
            values=tuple(
                self._value(part, each, secret=own) for each in values if not isinstance(each, EvaluationError)
            ),
            error=errors[0] if errors else "",
            asked=trace.evaluated(part),
            literal=part.literal,
            operator=part.operator,
            parts=tuple(self._part(each, trace, secret=below) for each in part.parts),
        )

    def _value(self, part: Part, value: object, *, secret: bool) -> object:
        if value is None or isinstance(value, bool) or part.literal:
            return value
        if secret:
            return self._secrets.fingerprint(value)
        return self._secrets.redacted(_attribute(part)[0], value)

    def _is_secret(self, part: Part) -> bool:
        """Tell whether a part reads a secret, itself or below."""
        name, keys = _attribute(part)
        return name in self._closed or self._is_kept(name, keys) or any(map(self._is_secret, _below(part)))

    def _is_kept(self, name: str, keys: Sequence[str | None]) -> bool:
        """Tell whether an attribute is not to be told; a key that is computed may be any."""
        if name not in ATTRIBUTES:
            return False
        if name in _KEYED:
            return any(key is None or not self._secrets.may_be_told(name, key) for key in keys)
        return not self._secrets.may_be_told(name, None)


def _below(part: Part) -> Sequence[Part]:
    """Return the parts of which a part is made; the map that a key is looked up in is not: the key tells."""
    return part.parts[1:] if _attribute(part)[0] else part.parts


def _attribute(part: Part) -> tuple[str, tuple[str | None, ...]]:
    """Return the attribute that a part is or comes from and the keys on the way, `None` for a computed one."""
    if not part.parts and not part.literal and not part.operator:
        return "".join(part.text.split()), ()
    if not part.parts or part.operator not in _SELECTS | _INDEXES | {"has"}:
        return "", ()
    name, keys = _attribute(part.parts[0])
    if part.operator in _INDEXES:
        index = part.parts[1]
        return name, (*keys, _unquoted(index.text) if index.literal else None)
    return name, (*keys, part.text.rstrip(" )").rpartition(".")[2].lstrip("? "))


def _unquoted(text: str) -> str:
    return text.strip("rRbB").strip("\"'")
