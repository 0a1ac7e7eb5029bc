"""What tests of policies share: requests, facts and compilers made of as few words as a test needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest

from authz.content import Body, SchemaValidators
from authz.model import ANONYMOUS, BodyState, Identity, Peer, Request
from authz.policy import Compiler, Facts, PolicySet

NOON = 1_795_435_200.0

PROVIDERS = ("staff", "partner", "mesh")


def request_of(given: Mapping[str, Any]) -> Request:
    """Return a request: what is given, and what a plain GET of the demo's host has otherwise."""
    words = dict(given)
    headers = {str(name): str(value) for name, value in words.pop("headers", {}).items()}
    if "json" in words:
        words["body"] = msgspec.json.encode(words.pop("json")).decode()
        headers.setdefault("content-type", "application/json")
    body = words.pop("body", "").encode()
    state = BodyState(words.pop("body_state", "complete" if body else "absent"))
    return Request(
        id="0",
        method=words.pop("method", "GET"),
        scheme=words.pop("scheme", "https"),
        host=words.pop("host", "api.example.com"),
        port=words.pop("port", 443),
        path=words.pop("path", "/"),
        query=words.pop("query", ""),
        protocol="HTTP/2",
        time=words.pop("time", NOON),
        headers=headers,
        invalid_headers=frozenset(words.pop("invalid_headers", ())),
        ambiguities=frozenset(words.pop("ambiguities", ())),
        body=body,
        body_state=state,
        source=Peer(ip="10.1.2.3", port=40000),
        destination=Peer(ip="10.9.8.7", port=8443),
        extensions=words.pop("extensions", {}),
        **words,
    )


def facts_of(request: Request, identity: Mapping[str, Any] | None = None, client_ip: str = "203.0.113.9") -> Facts:
    """Return the facts of a request, anonymous unless an identity is given."""
    words = {name: tuple(value) if isinstance(value, list) else value for name, value in (identity or {}).items()}
    if words and "error" not in words:
        words = {"authenticated": True, "provider": "staff", "subject": "alice", **words}
    return Facts(
        request=request,
        identity=msgspec.convert(words, Identity, strict=False) if words else ANONYMOUS,
        body=Body(request),
        client_ip=client_ip,
    )


class Make:
    """Makes requests and facts."""

    request = staticmethod(request_of)
    facts = staticmethod(facts_of)


@pytest.fixture(scope="session")
def make() -> Make:
    """Return a maker of requests and facts."""
    return Make()


@pytest.fixture
def compiler() -> Compiler:
    """Return a compiler with real validators that knows three providers."""
    return Compiler(validators=SchemaValidators(), providers=PROVIDERS)


@pytest.fixture(name="serve")
def _serve(compiler: Compiler) -> Callable[..., PolicySet]:
    """Return a function from documents in one text, and other files by name, to the policies they make."""

    def serve(documents: str, **files: str) -> PolicySet:
        return compiler.compile({"p.yaml": documents.encode()} | {name: text.encode() for name, text in files.items()})

    return serve
