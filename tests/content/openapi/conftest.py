"""What tests of OpenAPI share: a document around a few lines, its flaws, and requests held against it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest
import yaml

from authz.content import Body
from authz.content.openapi import Api, ApiError, compile_api
from authz.model import BodyState, Objection, Peer, Request

Document = dict[str, Any]


def parsed(text: str) -> Any:
    """Return YAML as policies read it, with the keys as texts."""
    return _texts(yaml.safe_load(text))


def _texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _texts(each) for key, each in value.items()}
    return [_texts(each) for each in value] if isinstance(value, list) else value


def description(
    operation: str = "{}", *, path: str = "/a", method: str = "get", version: str = "3.1.0", **more: str
) -> Document:
    """Return a document with one operation; `more` are further members of the document, as YAML."""
    return {
        "openapi": version,
        "info": {"title": "A", "version": "1"},
        "paths": {path: {method: parsed(operation)}},
        **{name: parsed(text) for name, text in more.items()},
    }


def request_to(url: str = "/a", method: str = "GET", headers: Mapping[str, str] | None = None, **more: Any) -> Request:
    """Return a request; `json` is its body as a value."""
    path, _, query = url.partition("?")
    sent = {name.lower(): value for name, value in (headers or {}).items()}
    if "json" in more:
        more["body"] = msgspec.json.encode(more.pop("json"))
        sent.setdefault("content-type", "application/json")
    more.setdefault("body_state", BodyState.COMPLETE if more.get("body") else BodyState.ABSENT)
    return Request(
        id="1", method=method, scheme="https", host="api.example.com", port=443, path=path, query=query,
        protocol="HTTP/2", time=0.0, headers=sent, source=Peer(), destination=Peer(), **more,
    )  # fmt: skip


def nothing(_file: str) -> object:
    """Find no file."""
    raise LookupError("the file is not there")


@pytest.fixture
def flaws() -> Callable[..., list[tuple[str, str]]]:
    """Compile a document; return its flaws as place and message."""

    def compile_flaws(document: object, read: Callable[[str], object] = nothing, **more: Any) -> list[tuple[str, str]]:
        with pytest.raises(ApiError) as caught:
            compile_api(document, read, **more)
        return [("/".join(map(str, flaw.path)), flaw.message) for flaw in caught.value.flaws]

    return compile_flaws


def told(api: Api, request: Request) -> list[str] | str | None:
    """Return what an API says of a request: nothing, what is not met, or another objection."""
    call = api.find(request)
    if call is None:
        return "undocumented"
    if call.undescribed:
        return [f"{each.part} {each.pointer} {each.keyword}" for each in call.undescribed]
    found: Objection | None = call.objection(Body(request))
    if found is None:
        return None
    return [f"{each.part} {each.pointer} {each.keyword}" for each in found.unmet] or found.detail


@pytest.fixture
def ask() -> Callable[..., list[str] | str | None]:
    """Hold a request against a document."""

    def hold(document: object, url: str, method: str = "GET", **more: Any) -> Any:
        unchecked = more.pop("unchecked", frozenset())
        return told(compile_api(document, nothing, unchecked=unchecked), request_to(url, method, **more))

    return hold


@pytest.fixture
def describe() -> Callable[..., Document]:
    """Return a maker of documents with one operation."""
    return description


@pytest.fixture
def to() -> Callable[..., Request]:
    """Return a maker of requests."""
    return request_to
