"""Requests that are calls of something else: MCP over JSON-RPC, gRPC, GraphQL.

Each reading is none (all fields empty) where the request plainly is no such call, and no value at all where it might
be one that cannot be read for certain: a batch, a body that is no JSON, an operation that cannot be told.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from authz._pb.authz.v1.vocabulary_pb2 import Graphql, Grpc, Mcp
from authz.model import BodyState
from authz.policy.facts import UnboundError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from authz.policy.facts import Facts

_GRAPHQL_TOKEN = re.compile(
    r'(?P<skip>[\s,\ufeff]+|#[^\n\r]*|"""(?:\\"""|(?!""").)*+(?:""")?|"(?:\\.|[^"\\\n\r])*+"?)'
    r"|(?P<name>[A-Za-z_]\w*)|(?P<other>.)",
    re.DOTALL | re.ASCII,
)
_OPERATIONS = frozenset({"query", "mutation", "subscription"})


def mcp(facts: Facts) -> Mcp:
    """Return the call of a Model Context Protocol request."""
    call = _object(facts)
    method = _text(call, "method")
    if method != "tools/call":
        return Mcp(method=method)
    params = call.get("params")
    tool = params.get("name") if isinstance(params, dict) else None
    if not isinstance(tool, str):
        raise UnboundError("the call of a tool does not name it")
    return Mcp(method=method, tool=tool)


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


def graphql(facts: Facts) -> Graphql:
    """Return the operation a GraphQL request asks for."""
    body = _object(facts)
    if "query" not in body and "operationName" not in body:
        return Graphql()
    wanted = _text(body, "operationName")
    operations = list(_operations(_text(body, "query")))
    found = [operation for operation in operations if not wanted or operation[1] == wanted]
    if len(found) != 1:
        raise UnboundError("which GraphQL operation is asked for cannot be told")
    kind, name = found[0]
    return Graphql(operation_name=name, operation_type=kind)


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


def _text(body: Mapping[str, object], key: str) -> str:
    """Return a member that is a text, empty where it is absent or null."""
    value = body.get(key)
    if value is not None and not isinstance(value, str):
        raise UnboundError(f'"{key}" of the body is no text')
    return value or ""


def _operations(document: str) -> Iterator[tuple[str, str]]:
    """Yield kind and name of every operation of a GraphQL document; a bare `{` is an anonymous query."""
    depth, kind, name = 0, "", ""
    for token in _GRAPHQL_TOKEN.finditer(document):
        word, other = token["name"], token["other"]
        if word and not depth:
            kind, name = (kind, name or word) if kind else (word, "")
        elif other and other in "{([":
            if other == "{" and not depth and kind in {"", *_OPERATIONS}:
                yield kind or "query", name
            depth += 1
        elif other and other in "})]":
            depth -= 1
            if other == "}" and not depth:
                kind, name = "", ""
