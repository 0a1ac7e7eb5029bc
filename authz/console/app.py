"""The admin port's pages (INTERFACE.md, section 4): probes, numbers, the console and what it reads.

The console's page comes from this package and asks only this port; its policy lets nothing else in. Every text of a
request reaches it as data. What says more of this process than whether it lives, and the keys that it publishes, is
shown under names that are ours alone (`hosts`). What takes work is done for the console's own page only, and once at a
time: a page elsewhere could ask without reading the answer.
"""

from __future__ import annotations

import asyncio
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from authz.console import joined
from authz.console.hosts import answers_to
from authz.console.stream import decisions
from authz.console.workers import shown
from authz.errors import AuthzError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from starlette.requests import Request

    from authz.console.denied import Denied
    from authz.console.tail import Tail
    from authz.console.workers import Workers

    Page = Callable[[Request], Awaitable[Response]]

HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
CONSOLE_HEADERS = HEADERS | {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}
JWKS = "/.well-known/jwks.json"
STATIC = Path(__file__).parent / "static"
FILES = {
    "/": ("console.html", "text/html"),
    "/console.css": ("console.css", "text/css"),
    "/console.js": ("console.js", "text/javascript"),
    "/explain": ("explain.html", "text/html"),
    "/explain.js": ("explain.js", "text/javascript"),
    "/drawing.js": ("drawing.js", "text/javascript"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
MOST_ASKING = 4
"""Explanations that are wanted at once: one is made, the others wait; of more, each is refused."""

_OURS = frozenset({"same-origin", "none"})
"""What browsers say of requests of our own page, and of addresses that somebody types (Fetch Metadata)."""


class State(Protocol):
    """What the admin port can say of this process."""

    @property
    def tail(self) -> Tail:
        """The latest decisions."""

    @property
    def denied(self) -> Denied:
        """Who is denied most."""

    def live(self) -> bool:
        """Say whether the process can still do its work at all."""

    def ready(self) -> bool:
        """Say whether checks can be decided: a usable set of policies is loaded, and we are not going down."""

    def metrics(self) -> bytes:
        """Return every number, in Prometheus' text format."""

    def status(self) -> Mapping[str, object]:
        """Return generation, policy digest, age, Redis, and which worker this is."""

    def jwks(self) -> Mapping[str, object]:
        """Return the key set by which others verify who we say is calling."""

    def numbers(self) -> Mapping[str, object]:
        """Return what was counted since the start: checks by decision and reason, durations by bucket."""

    def policies(self) -> Sequence[Mapping[str, object]]:
        """Return the documents in force, their rules and limits, and what each said how often."""

    def disagreements(self) -> Mapping[str, object]:
        """Return how a candidate disagrees with the policies in force, what happens most first."""

    def exceptions(self) -> Sequence[Mapping[str, object]]:
        """Return the entries of data that end, those that end first before others, and whether each still counts."""

    def explain(self, query: Sequence[tuple[str, str]], /) -> object:
        """Explain a request that is typed, or a decision by its id.

        Raises `ValueError` for a query that cannot be read, `LookupError` and `AuthzError` where there is no answer.
        """


def application(state: State, hosts: Sequence[str] = (), workers: Workers | None = None) -> Starlette:
    """Build the pages over a state; `hosts` are the public names that are ours, `workers` all of several."""
    ours = _state(state, workers) | _files() | {path: _console(page) for path, page in _api(state, workers).items()}
    pages = _probes(state, workers) | {path: _named(page, hosts) for path, page in ours.items()}
    return Starlette(routes=[Route(path, page, methods=["GET"]) for path, page in pages.items()])


def _probes(state: State, workers: Workers | None) -> dict[str, Page]:
    async def livez(_: Request) -> Response:
        return _probe(state.live())

    async def readyz(_: Request) -> Response:
        return _probe(state.ready() and (workers is None or await workers.ready()))

    async def jwks(_: Request) -> Response:
        return _json(state.jwks(), cache="public, max-age=60")

    return {"/livez": livez, "/readyz": readyz, JWKS: jwks}


def _state(state: State, workers: Workers | None) -> dict[str, Page]:
    async def metrics(_: Request) -> Response:
        page = state.metrics() if workers is None else await workers.numbers(state.metrics())
        return Response(page, media_type="text/plain; version=0.0.4", headers=HEADERS)

    async def status(_: Request) -> Response:
        own = state.status()
        return _json({**own, "workers": [shown(own)] if workers is None else await workers.states(own)})

    return {"/metrics": metrics, "/status": status}


def _api(state: State, workers: Workers | None) -> dict[str, Page]:
    def shown(path: str, own: Callable[[], object], join: Callable[[list[Any]], object]) -> Page:
        async def page(_: Request) -> Response:
            return _json(own() if workers is None else join(await workers.pages(path, own())))

        return page

    def now() -> object:
        return {"status": state.status(), "numbers": state.numbers()}

    def denied() -> object:
        total, most = state.denied.most()
        return {"total": total, "most": most}

    def states(pages: list[Any]) -> object:
        return joined.states(pages, workers.number if workers else 1)

    async def tail(request: Request) -> Response:
        others = () if workers is None else workers.others
        return decisions(state.tail, request.query_params, HEADERS, others)

    read = (
        ("/api/state", now, states),
        ("/api/policies", state.policies, joined.documents),
        ("/api/exceptions", state.exceptions, itemgetter(0)),
        ("/api/candidate", state.disagreements, joined.disagreements),
        ("/api/denied", denied, joined.denied),
    )
    pages = {path: shown(path, own, join) for path, own, join in read}
    return {**pages, "/api/explain": _explaining(state), "/api/decisions": tail}


def _explaining(state: State) -> Page:
    """Return what explains, one question at a time."""
    turn = asyncio.Lock()
    asking: list[Request] = []

    async def explain(request: Request) -> Response:
        if len(asking) >= MOST_ASKING:
            return PlainTextResponse("too many are asking\n", 503, headers=HEADERS)
        asking.append(request)
        try:
            async with turn:
                return await explained(state, request.query_params.multi_items())
        finally:
            asking.remove(request)

    return explain


async def explained(state: State, query: Sequence[tuple[str, str]]) -> Response:
    """Answer with an explanation, made beside this thread, or with why there is none."""
    try:
        return _json(await run_in_threadpool(state.explain, query))
    except LookupError as error:
        status, text = 404, str(error.args[0] if error.args else "not there")
    except ValueError as error:
        status, text = 400, str(error)
    except AuthzError as error:
        status, text = 503, str(error)
    return PlainTextResponse(f"{text}\n", status, headers=HEADERS)


def _files() -> dict[str, Page]:
    return {path: _file((STATIC / name).read_bytes(), kind) for path, (name, kind) in FILES.items()}


def _file(content: bytes, kind: str) -> Page:
    async def file(_: Request) -> Response:
        return Response(content, media_type=kind, headers=CONSOLE_HEADERS)

    return file


def _named(page: Page, hosts: Sequence[str]) -> Page:
    async def guarded(request: Request) -> Response:
        if not answers_to(request.headers.get("host", ""), hosts):
            return PlainTextResponse("ask by address, or list this name in admin_hosts\n", 421, headers=HEADERS)
        return await page(request)

    return guarded


def _console(page: Page) -> Page:
    async def guarded(request: Request) -> Response:
        if request.headers.get("sec-fetch-site", "none") not in _OURS:
            return PlainTextResponse("only the console asks this\n", 403, headers=HEADERS)
        return await page(request)

    return guarded


def _json(content: object, cache: str = "no-store") -> Response:
    headers = HEADERS | {"cache-control": cache}
    return Response(msgspec.json.encode(content), media_type="application/json", headers=headers)


def _probe(fine: bool) -> Response:
    return PlainTextResponse("ok\n" if fine else "not ok\n", 200 if fine else 503, headers=HEADERS)
