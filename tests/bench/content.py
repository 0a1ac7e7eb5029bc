"""What holding a body against its schema costs, beside the decision without it.

In this process and without gRPC, so that nothing but the validation differs: the same body of 10 kB comes with the same
rules, once unread, once met by a JSON Schema of a hundred nodes, once by an OpenAPI document of as many operations.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from comparing import BenchmarkError, Effort, Row, in_turns, row

from authz.engine import Engine
from authz.limits.memory import MemoryLimiter
from authz.model import Effect
from authz.server.deciding import compiler, parts
from authz.store import Snapshot
from authz.testing.asking import Asked, Call, message

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from authz.model import Outcome

CHECKS = 1000  # per second of effort
NODES = 100
BYTES = 10_000
OPERATIONS = 500

POLICY = """
apiVersion: authz/v1
kind: Policy
metadata: {{name: orders}}
spec:
  match: [{{hosts: [api.example.com], paths: ["/orders/{{id}}"], methods: [POST]}}]
  validate: [{validation}]
  rules:
    - {{name: frozen, deny: request.path.endsWith("/frozen")}}
    - {{name: later, deny: 'request.time < timestamp("2020-01-01T00:00:00Z")'}}
    - {{name: writers, allow: 'request.method == "POST" && request.headers["x-tenant"] in ["acme", "globex"]'}}
"""


def content(effort: Effort, folder: Path) -> Iterator[Row]:  # noqa: ARG001 - nothing is written
    """Compare decisions with and without a validation, and the compilation of many operations with that of few."""
    number = int(CHECKS * effort.seconds)
    asked = _message()
    unread = _engine("")
    ways = {
        "JSON Schema of 100 nodes, 10 kB, us": "{name: body, schema: order.json}",
        f"OpenAPI of {OPERATIONS} operations, 10 kB, us": "{name: api, openapi: api.json}",
    }
    for measure, validation in ways.items():
        validating = _engine(validation)
        rounds = in_turns(
            effort.rounds,
            lambda: _cost(unread, asked, number),
            lambda engine=validating: _cost(engine, asked, number),
        )
        bound = 3.0 if measure.startswith("JSON") else 4.0  # a description also finds the operation and its parameters
        yield row("content", measure, ("decision without it", "with it"), rounds, at_most=bound)
    rounds = in_turns(effort.rounds, lambda: _compiled(OPERATIONS // 10), lambda: _compiled(OPERATIONS))
    sides = (f"{OPERATIONS // 10} operations", f"{OPERATIONS} operations")
    yield row("content", "OpenAPI compiled, ms", sides, rounds, at_most=20.0)


def _cost(engine: Engine, asked: bytes, number: int) -> float:
    """Return the microseconds of CPU that one check takes."""
    call = Call()
    begun = time.process_time()
    for _ in range(number):
        engine.check(asked, call)
    return (time.process_time() - begun) / number * 1e6


def _compiled(operations: int) -> float:
    """Return the milliseconds of CPU that reading a policy with a description takes."""
    files = _files("{name: api, openapi: api.json}", operations)
    begun = time.process_time()
    compiler("auto").compile(files)
    return (time.process_time() - begun) * 1e3


def _engine(validation: str) -> Engine:
    snapshot = Snapshot(policies=compiler("auto").compile(_files(validation)), generation=1, loaded_at=0.0)
    return Engine(
        parts(
            snapshot=lambda: snapshot, limiter=MemoryLimiter(), client_ip=lambda request: request.source.ip,
            fault=_raise, observers=(_expect_allow,),
        )
    )  # fmt: skip


def _files(validation: str, operations: int = OPERATIONS) -> dict[str, bytes]:
    files = {"a.yaml": POLICY.format(validation=validation), "order.json": json.dumps(_schema())}
    return {name: text.encode() for name, text in (files | {"api.json": json.dumps(_api(operations))}).items()}


def _schema() -> dict[str, Any]:
    """Return a schema of `NODES` nodes: of one object, its lines and their fields, each with something to check."""
    kinds: list[dict[str, Any]] = [
        {"type": "string", "minLength": 1, "maxLength": 80, "pattern": "^[a-z0-9 -]+$"},
        {"type": "integer", "minimum": 0, "maximum": 1_000_000},
        {"type": "string", "format": "date-time"},
        {"enum": ["open", "shut", "lost"]},
    ]
    fields = {f"field-{number}": kinds[number % len(kinds)] for number in range(NODES - 3)}
    line = {"type": "object", "required": list(fields), "properties": fields, "additionalProperties": False}
    lines = {"type": "array", "minItems": 1, "maxItems": 100, "items": line}
    return {"type": "object", "required": ["lines"], "properties": {"lines": lines}, "additionalProperties": False}


def _api(operations: int) -> dict[str, Any]:
    """Return a description whose operations share no schema but one of `NODES` nodes."""
    taken = {"required": True, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/order"}}}}
    identifier = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}
    own = {"type": "object", "properties": {"n": {"type": "integer"}, "next": {"$ref": "#/components/schemas/order"}}}
    others = {
        f"/things-{number}/{{id}}": {
            "put": {"parameters": [identifier], "requestBody": {"content": {"application/json": {"schema": own}}}}
        }
        for number in range(operations - 1)
    }
    order = {"/orders/{id}": {"post": {"parameters": [identifier], "requestBody": taken}}}
    return {"openapi": "3.1.0", "paths": order | others, "components": {"schemas": {"order": _schema()}}}


def _message() -> bytes:
    body = json.dumps({"lines": list(_lines())}).encode()
    if not 0.8 * BYTES <= len(body) <= 1.2 * BYTES:
        raise BenchmarkError(f"a body of {len(body)} bytes")
    headers = (("accept", "application/json"), ("content-type", "application/json"), ("x-tenant", "acme"))
    url = "https://api.example.com/orders/7"
    return message(Asked(method="POST", url=url, headers=headers, body=body, time=time.time()))


def _lines() -> Iterator[dict[str, Any]]:
    values = ("a plain text", 12_345, "2026-11-23T12:00:00Z", "open")
    for _ in range(4):
        yield {f"field-{number}": values[number % len(values)] for number in range(NODES - 3)}


def _expect_allow(outcome: Outcome) -> None:
    if outcome.decision.effect is not Effect.ALLOW:
        raise BenchmarkError(f"denied: {outcome.decision.reason}, {outcome.decision.documents}")


def _raise(error: BaseException) -> None:
    raise error
