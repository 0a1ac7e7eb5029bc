"""The admin port's pages (INTERFACE.md, section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.requests import Request

HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
}


class State(Protocol):
    """What the admin port can say of this process."""

    def live(self) -> bool:
        """Say whether the process can still do its work at all."""

    def ready(self) -> bool:
        """Say whether checks can be decided: a usable set of policies is loaded, and we are not going down."""

    def metrics(self) -> bytes:
        """Return every number, in Prometheus' text format."""

    def status(self) -> Mapping[str, object]:
        """Return generation, policy digest, age, Redis, workers."""


def application(state: State) -> Starlette:
    """Build the pages over a state."""

    async def livez(_: Request) -> Response:
        return _probe(state.live())

    async def readyz(_: Request) -> Response:
        return _probe(state.ready())

    async def metrics(_: Request) -> Response:
        return Response(state.metrics(), media_type="text/plain; version=0.0.4", headers=HEADERS)

    async def status(_: Request) -> Response:
        return Response(msgspec.json.encode(state.status()), media_type="application/json", headers=HEADERS)

    pages: dict[str, Callable[[Request], Awaitable[Response]]] = {
        "/livez": livez,
        "/readyz": readyz,
        "/metrics": metrics,
        "/status": status,
    }
    routes: list[Route] = [Route(path, page, methods=["GET"]) for path, page in pages.items()]
    return Starlette(routes=routes)


def _probe(fine: bool) -> Response:
    return PlainTextResponse("ok\n" if fine else "not ok\n", 200 if fine else 503, headers=HEADERS)
