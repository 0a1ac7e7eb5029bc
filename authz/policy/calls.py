"""Requests that are calls of something else: MCP over JSON-RPC, gRPC (`graphql` has a module of its own).

Each reading is none (all fields empty) where the request plainly is no such call, and no value at all where it might
be one that cannot be read for certain: a batch, a body that is no JSON, a call that does not say what it calls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz._pb.authz.v1.vocabulary_pb2 import Grpc, Mcp
from authz.model import BodyState
from authz.policy.facts import UnboundError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.protobuf.struct_pb2 import Struct

    from authz.policy.facts import Facts

_EXACT = 2**53
"""The largest whole number that a double holds exactly; arguments travel as doubles."""

_NAMED = {"tools/call": "tool", "prompts/get": "prompt", "resources/read": "resource"}
"""Methods that name what they ask for, and the field that says it."""

_CALL = frozenset({"id", "jsonrpc", "method", "params"})
_PARAMETERS = frozenset({"arguments", "clientInfo", "name", "protocolVersion", "uri"})


def mcp(facts: Facts) -> Mcp:
    """Return the call of a Model Context Protocol request."""
    call = _object(facts)
    refuse_other_spellings(call, _CALL)
    method, params = _text(call, "method"), call.get("params")
    if params is not None and not isinstance(params, dict):
        raise UnboundError("the parameters of the call are no object")
    refuse_other_spellings(params or {}, _PARAMETERS)
    found = Mcp(method=method)
    if (field := _NAMED.get(method)) is not None:
        named = (params or {}).get("uri" if field == "resource" else "name")
        if not isinstance(named, str):
            raise UnboundError("the call does not name what it asks for")
        setattr(found, field, named)
        _fill(found.arguments, (params or {}).get("arguments") or {})
    elif method == "initialize":
        found.protocol_version = _text(params or {}, "protocolVersion")
        client = (params or {}).get("clientInfo")
        found.client = _text(client, "name") if isinstance(client, dict) else ""
    return found


def _fill(arguments: Struct, given: object) -> None:
    """Write arguments as they are; a number that would become another one is no value."""
    if not isinstance(given, dict) or not _is_exact(given):
        raise UnboundError("the arguments of the call cannot be read exactly")
    arguments.update(given)


def _is_exact(value: object) -> bool:
    if isinstance(value, dict):
        return all(map(_is_exact, value.values()))
    if isinstance(value, list):
        return all(map(_is_exact, value))
    return not isinstance(value, int) or abs(value) <= _EXACT


def grpc(facts: Facts) -> Grpc:
    """Return the service and method of a gRPC request: a path of exactly two segments, and gRPC's content type."""
    request = facts.request
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/grpc" and not media_type.startswith(("application/grpc+", "application/grpc-web")):
        return Grpc()
    parts = request.path.split("/")
    if len(parts) != 3 or not parts[2]:
        raise UnboundError("the path of a gRPC request has two segments")
    return Grpc(service=parts[1], method=parts[2])


def _object(facts: Facts) -> Mapping[str, object]:
    """Return the body as a JSON object, an empty one where there is no body."""
    if facts.request.body_state is BodyState.ABSENT:
        return {}
    try:
        body = facts.body.json()
    except ValueError as error:
        raise UnboundError(str(error)) from None
    if not isinstance(body, dict):
        raise UnboundError("the body is no single call")
    return body


def refuse_other_spellings(members: Mapping[str, object], words: frozenset[str]) -> None:
    """Raise where a member is a word but for its case: some readers (Go's) take it for the word."""
    folded = set(map(str.casefold, words))
    if any(name.casefold() in folded for name in members.keys() - words):
        raise UnboundError("a member of the call is written in another case than its own")


def _text(body: Mapping[str, object], key: str) -> str:
    """Return a member that is a text, empty where it is absent or null."""
    value = body.get(key)
    if value is not None and not isinstance(value, str):
        raise UnboundError(f'"{key}" of the body is no text')
    return value or ""
