"""Requests that an API takes, made of what its description says: examples where it has some, else the plainest values.

Whether a request really fits is not guessed at: it is held against the description, as the service would.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from authz import wire
from authz.content import Body
from authz.testing.asking import Asked, message

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from authz.cli.from_openapi.reading import Source
    from authz.content.openapi.document import Node
    from authz.content.openapi.operations import Operation

HOST = "api.example.com"

_DEEPEST = 12
_FORMATS = {
    "byte": "YQ==", "date": "2026-11-23", "date-time": "2026-11-23T12:00:00Z", "duration": "P1D",
    "email": "ann@example.com", "hostname": "example.com", "ipv4": "192.0.2.1", "ipv6": "2001:db8::1",
    "json-pointer": "/a", "time": "12:00:00Z", "uri": "https://example.com/", "uri-reference": "/a",
    "uuid": "7f0c1a2b-34c5-4d8e-9f00-112233445566",
}  # fmt: skip
_LETTERS = ("a", "A", "1", "a1", "A1")

Request = dict[str, Any]


class Sampler:
    """Makes requests to one API."""

    def __init__(self, source: Source, hosts: tuple[str, ...]) -> None:
        self._api = source.api
        self._host = next((host.replace("*", "a") for host in hosts), HOST)

    def request(self, operation: Operation) -> Request | None:
        """Return a request to an operation as tests write them, `None` where none is found that fits."""
        return next((each for each in self._tries(operation) if self._fits(each)), None)

    def _tries(self, operation: Operation) -> Iterator[Request]:
        """Yield requests with texts of one kind after the other: a pattern is met by one of them, or by none."""
        for letters in _LETTERS:
            values = {(each.place, each.name): sample(each.node, letters) for each in operation.parameters}
            url = f"https://{self._host}{_path(operation, values)}"
            query = [
                pair for each in operation.parameters if each.place == "query" and each.required
                for pair in _query(each.name, values["query", each.name], each.style, in_json=each.in_json)
            ]  # fmt: skip
            headers = {
                each.name: _simple(values["header", each.name])
                for each in operation.parameters if each.place == "header" and each.required
            }  # fmt: skip
            cookies = [
                f"{each.name}={_simple(values['cookie', each.name])}"
                for each in operation.parameters if each.place == "cookie" and each.required
            ]  # fmt: skip
            if cookies:
                headers["cookie"] = "; ".join(cookies)
            request: Request = {"method": operation.method, "url": url + (f"?{urlencode(query)}" if query else "")}
            yield request | ({"headers": headers} if headers else {}) | _body(operation, letters)

    def _fits(self, request: Request) -> bool:
        read = wire.read(message(_asked(request)), now=0.0)
        call = self._api.find(read)
        return call is not None and not call.undescribed and call.objection(Body(read)) is None


def _asked(request: Mapping[str, Any]) -> Asked:
    """Return a request as the service is asked about it."""
    headers = dict(request.get("headers", {}))
    body: bytes | None = None
    if "json" in request:
        body, headers["content-type"] = json.dumps(request["json"]).encode(), "application/json"
    elif "form" in request:
        body, headers["content-type"] = (
            urlencode(request["form"], doseq=True).encode(),
            "application/x-www-form-urlencoded",
        )
    elif "body" in request:
        body = request["body"].encode()
    return Asked(method=request["method"], url=request["url"], headers=tuple(headers.items()), body=body)


def _path(operation: Operation, values: Mapping[tuple[str, str], object]) -> str:
    base = "".join(f"/{quote(segment, safe='')}" for segment in operation.bases[0])
    return base + re.sub(
        r"\{([^{}/]+)\}", lambda found: quote(_simple(values.get(("path", found[1]))), safe=""), operation.template
    )


def _query(name: str, value: object, style: str, *, in_json: bool) -> list[tuple[str, str]]:
    if in_json:
        return [(name, json.dumps(value))]
    if isinstance(value, dict):
        return [(f"{name}[{key}]" if style == "deepObject" else key, _simple(each)) for key, each in value.items()]
    if isinstance(value, list) and style == "form":
        return [(name, _simple(each)) for each in value]
    return [(name, _simple(value))]


def _simple(value: object) -> str:
    if isinstance(value, list):
        return ",".join(map(_simple, value))
    if isinstance(value, dict):
        return ",".join(f"{key},{_simple(each)}" for key, each in value.items())
    return json.dumps(value) if isinstance(value, bool | int | float) else str(value)


def _body(operation: Operation, letters: str) -> Request:
    """Return the body of a request in the words of tests, where one has to be there."""
    found = operation.node.get("requestBody")
    body = None if found is None else found.resolved()
    if body is None or operation.body is None or not operation.body.required:
        return {}
    for name, media in body.members("content"):
        schema = media.get("schema")
        value = sample(schema, letters) if schema is not None else letters
        example = media.value.get("example", value)
        if name == "application/json":
            return {"json": example}
        if name == "application/x-www-form-urlencoded" and isinstance(example, dict):
            return {"form": {key: _simple(each) for key, each in example.items()}}
        if name.startswith("text/") or not name.endswith("json"):
            return {"body": str(example), "headers": {"content-type": name.replace("*", "plain")}}
        return {"body": json.dumps(example), "headers": {"content-type": name}}
    return {}


def sample(node: Node, letters: str, depth: int = 0) -> Any:  # noqa: ANN401 - any JSON
    """Return a value that is likely to meet a schema; `letters` are what texts are made of."""
    found = node.resolved()
    said = found.value if found is not None else None
    if found is None or not isinstance(said, dict) or depth > _DEEPEST:
        return letters
    for word in ("example", "default", "const"):
        if word in said:
            return said[word]
    for word in ("examples", "enum"):
        if isinstance(said.get(word), list) and said[word]:
            return said[word][0]
    for word in ("oneOf", "anyOf"):
        if first := next(found.elements(word), None):
            return _merged([sample(first, letters, depth + 1), _typed(found, letters, depth)])
    if parts := list(found.elements("allOf")):
        return _merged([*(sample(each, letters, depth + 1) for each in parts), _typed(found, letters, depth)])
    return _typed(found, letters, depth)


def _merged(values: list[Any]) -> Any:  # noqa: ANN401 - any JSON
    """Return the properties of all, or the first that is no map."""
    maps = [each for each in values if isinstance(each, dict)]
    return {key: value for each in maps for key, value in each.items()} if maps else values[0]


def _typed(node: Node, letters: str, depth: int) -> Any:  # noqa: ANN401 - any JSON
    said = node.value
    kind = said.get("type")
    if isinstance(kind, list):
        kind = next((each for each in kind if each != "null"), "null")
    if kind == "object" or "properties" in said:
        return _object(node, letters, depth)
    if kind == "array":
        items = node.get("items")
        return [sample(items, letters, depth + 1) if items is not None else letters] * int(said.get("minItems", 1))
    if kind in {"integer", "number"}:
        return _number(said, whole=kind == "integer")
    return True if kind == "boolean" else None if kind == "null" else _text(said, letters)


def _object(node: Node, letters: str, depth: int) -> dict[str, Any]:
    required = node.value.get("required", [])
    return {
        name: sample(each, letters, depth + 1)
        for name, each in node.members("properties")
        if name in required and not ((found := each.resolved()) and found.value.get("readOnly"))
    }


def _number(said: Mapping[str, Any], *, whole: bool) -> int | float:
    low, high = said.get("minimum", said.get("exclusiveMinimum")), said.get("maximum", said.get("exclusiveMaximum"))
    above = "exclusiveMinimum" in said and said["exclusiveMinimum"] is not False
    numbers = [each for each in (low, high) if isinstance(each, int | float) and not isinstance(each, bool)]
    value = low + above if numbers[:1] == [low] and low is not None else min([1, *numbers])
    step = said.get("multipleOf")
    if step:
        value = -(-value // step) * step
    return int(value) if whole else value


def _text(said: Mapping[str, Any], letters: str) -> str:
    form = said.get("format")
    if form in _FORMATS:
        return _FORMATS[form]
    least = max(int(said.get("minLength", 1)), 1)
    text = (letters * least)[: max(least, len(letters))]
    return text[: int(said["maxLength"])] if "maxLength" in said else text
