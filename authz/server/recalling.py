"""Records read back: what one says of its request, as far as it says it, for a decision made again.

The opposite of `audit.record`, and bound to be less: what was fingerprinted, cut or never read is not known any more,
and is told apart from what was known to be absent. How a line is written is in `lines`.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import msgspec
from google.protobuf import json_format

from authz._pb.authz.v1.vocabulary_pb2 import Geo, Graphql, Grpc, Mcp
from authz.audit.line import MOST_PARAMETERS
from authz.audit.reads import ABSENT, CUT, ERROR, FINGERPRINT
from authz.audit.text import CUT_OFF
from authz.audit.written import HEADERS
from authz.content import Body
from authz.errors import Refusal
from authz.model import ANONYMOUS, Ambiguity, BodyState, Identity, Knowing, Peer, Reason, Request
from authz.paths import canonical
from authz.policy import Facts
from authz.server.lines import RequestLine

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from google.protobuf.message import Message

    from authz.server.lines import Line

_ATTRIBUTE = re.compile(r"([a-z_.0-9]+)(?:\[(.*)\])?", re.DOTALL)
_MARK = re.compile(rb'"\$(absent|cut|error|fingerprint)"')
_READERS: Mapping[str, Callable[[str], object]] = {
    "request.time": datetime.fromisoformat,
    "identity.expires": datetime.fromisoformat,
    "request.body": str.encode,
}
"""How values are read that JSON has no type for; of bodies only an empty one is ever told."""

_MESSAGES: Mapping[str, type[Message]] = {
    "client.geo": Geo, "request.graphql": Graphql, "request.grpc": Grpc, "request.mcp": Mcp,
}  # fmt: skip
"""Names whose values are messages to expressions, and maps to a record."""

_PATH = frozenset({"request.path", "request.segments", "request.params"})
_QUERY = frozenset({"request.query", "request.query_one"})
_REFUSED = frozenset({Reason.INVALID_CREDENTIALS, Reason.IDENTITY_UNAVAILABLE})
_NOBODY = _REFUSED | {Reason.UNAUTHENTICATED}
_ALWAYS = frozenset(
    {"client.ip", "request.host", "request.id", "request.method", "request.time", "source.ip", "source.principal"}
)
"""Names whose value every record holds."""


class Memory:
    """What a record remembers, where these providers are asked who is calling; see `policy.Memory`."""

    def __init__(self, line: Line, providers: Collection[str]) -> None:
        self._line = line
        self._request = line.request or RequestLine()
        self._known: dict[tuple[str, str | None], Knowing] = {}
        self.values: dict[str, Any] = {"request.headers": dict(self._request.headers)}
        for text, raw in line.reads.items():
            self._remember(text, bytes(raw))
        for name in self.values.keys() & _MESSAGES.keys():
            self.values[name] = _message(_MESSAGES[name], self.values[name])
        self.identified = _identified(line, providers, self.values)
        if not self.identified:
            self._forget("identity.")

    def knowing(self, name: str, key: str | None, /) -> Knowing | None:
        """Return what is known of an attribute."""
        known = self._known.get((name, key)) or self._known.get((name, None))
        if known is not None:
            return known
        if name.startswith("identity."):
            return self._of_identity(name.removeprefix("identity."))
        if name == "request.headers":
            return self._of_header(key)
        return self._of_request(name, key)

    def _of_identity(self, field: str) -> Knowing | None:
        if self.identified is False:
            return Knowing.UNBOUND if field == "expires" else Knowing.VALUE
        told = field == "authenticated" or _is_whole(getattr(self._line.identity, field, CUT_OFF))
        return Knowing.VALUE if self.identified and told else None

    def _of_header(self, key: str | None) -> Knowing | None:
        if key not in HEADERS:
            return None
        value = self._request.headers.get(key)
        if value is None:
            return Knowing.ABSENT
        return Knowing.VALUE if _is_whole(value) else None

    def _of_request(self, name: str, key: str | None) -> Knowing | None:
        """Return what the record's own fields tell of a name."""
        if name in _ALWAYS or (name in _PATH and _is_whole(self._request.path)):
            return Knowing.VALUE
        if name == "route.extensions" and key == "route" and self._request.route:
            return Knowing.VALUE
        keys = self._request.query_keys
        if (
            name in _QUERY
            and "?" not in keys
            and len(keys) < MOST_PARAMETERS
            and (key not in keys if key else not keys)
        ):
            return Knowing.ABSENT
        return None

    def _remember(self, text: str, raw: bytes) -> None:
        name, key = attribute(text)
        value = msgspec.json.decode(raw)
        if not _MARK.search(raw):
            self._put(name, key, value)
        elif isinstance(value, dict) and ABSENT in value:
            self._known[name, key] = Knowing.ABSENT
            self.values.setdefault(name, {}).pop(key, None)
        elif isinstance(value, dict) and ERROR in value:
            self._known[name, key] = Knowing.UNBOUND
        elif isinstance(value, dict) and key is None and value.keys().isdisjoint((FINGERPRINT, CUT)):
            for member, each in value.items():
                if not _MARK.search(msgspec.json.encode(each)):
                    self._put(name, member, each)

    def _put(self, name: str, key: str | None, value: Any) -> None:  # noqa: ANN401 - whatever JSON holds
        self._known[name, key] = Knowing.VALUE
        if key is not None:
            self.values.setdefault(name, {})[key] = value
        elif name == "request.headers":
            self.values[name] |= value
        else:
            self.values[name] = _READERS[name](value) if name in _READERS else value

    def _forget(self, prefix: str) -> None:
        for name in [name for name in self.values if name.startswith(prefix)]:
            del self.values[name]
        for known in [known for known in self._known if known[0].startswith(prefix)]:
            del self._known[known]


def recalled(line: Line, providers: Collection[str]) -> tuple[Facts, Memory]:
    """Return what a record says of its request, where these providers are asked who is calling.

    The facts hold anything in the place of what the memory does not know.
    """
    memory = Memory(line, providers)
    request = _request(line, memory)
    identity = _identity(line, memory, asked=bool(providers))
    return Facts(request=request, identity=identity, body=Body(request), client_ip=line.client or line.source), memory


def _message(kind: type[Message], fields: Any) -> Message:  # noqa: ANN401 - whatever JSON holds
    """Return a message of the fields that are known; what was written is anybody's, and may not fit."""
    try:
        return json_format.ParseDict(fields, kind(), ignore_unknown_fields=True)
    except (json_format.ParseError, AttributeError):
        return kind()


@lru_cache(maxsize=4096)
def attribute(text: str) -> tuple[str, str | None]:
    """Read an attribute as records write it: a name, or a name and a key in brackets."""
    match = _ATTRIBUTE.fullmatch(text)
    if match is None:
        return text, None
    return match[1], None if match[2] is None else str(json.loads(match[2]))


def _is_whole(text: object) -> bool:
    return isinstance(text, str) and not text.endswith(CUT_OFF)


def _identified(line: Line, providers: Collection[str], values: Mapping[str, object]) -> bool | None:
    """Return whether the caller is somebody to these providers, `None` where the record cannot tell.

    A record names also the provider that refused a credential.
    """
    if line.identity.provider:
        asked = line.identity.provider in providers
        return line.reason not in _REFUSED if asked else None if providers else False
    told = not providers or line.reason in _NOBODY or values.get("identity.authenticated") is False
    return False if told else None


def _identity(line: Line, memory: Memory, *, asked: bool) -> Identity:
    reason = Reason(line.reason)
    if not memory.identified:
        return Identity(error=reason) if asked and reason in _REFUSED else ANONYMOUS
    known, values = line.identity, memory.values
    return Identity(
        authenticated=True,
        provider=known.provider,
        subject=known.subject,
        issuer=known.issuer,
        key_id=known.key_id,
        roles=tuple(values.get("identity.roles", ())),
        groups=tuple(values.get("identity.groups", ())),
        scopes=tuple(values.get("identity.scopes", ())),
        claims=values.get("identity.claims", {}),
    )


def _request(line: Line, memory: Memory) -> Request:
    written, values = line.request or RequestLine(), memory.values
    body = msgspec.json.encode(values["request.json"]) if "request.json" in values else b""
    query = values.get("request.query", {})
    return Request(
        id=written.id,
        method=written.method,
        scheme=str(values.get("request.scheme", "")),
        host=written.host,
        port=int(values.get("request.port", 0)),
        path=written.path,
        query=urlencode(query, doseq=True) if isinstance(query, dict) else "",
        protocol=str(values.get("request.protocol", "")),
        time=_seconds(line.time),
        headers=values["request.headers"],
        ambiguities=_ambiguities(written.path),
        body=body,
        body_state=BodyState(values.get("request.body_state", "complete" if body else "absent")),
        source=Peer(ip=line.source, principal=line.principal),
        destination=Peer(),
        extensions={"route": written.route} if written.route else {},
    )


def _seconds(text: str) -> float:
    try:
        time = datetime.fromisoformat(text)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
    except ValueError:
        return 0.0


def _ambiguities(path: str) -> frozenset[Ambiguity]:
    try:
        return frozenset(map(Ambiguity, canonical(path).ambiguities))
    except Refusal:
        return frozenset()
