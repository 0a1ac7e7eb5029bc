"""The live tail as server-sent events (HTML standard, section 9.2): one event a look, a comment while nothing comes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse, Response, StreamingResponse

from authz.console.tail import MOST_WATCHERS, Tail
from authz.console.watching import Wanted, watching

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

LOOK = 0.25
"""Seconds between two looks."""

BEAT = 40
"""Looks without anything after which a comment shows that the connection lives."""

LONGEST = 200
"""Characters of a filter that count."""


def decisions(tail: Tail, query: Mapping[str, str], headers: Mapping[str, str]) -> Response:
    """Answer with decisions as they are made; `decision` and `text` of the query say which."""
    if tail.watchers >= MOST_WATCHERS:
        return PlainTextResponse("too many are watching\n", 503, headers=dict(headers))
    wanted = Wanted(decision=query.get("decision", "")[:LONGEST], text=query.get("text", "")[:LONGEST])
    return StreamingResponse(_events(tail, wanted), media_type="text/event-stream", headers=dict(headers))


async def _events(tail: Tail, wanted: Wanted) -> AsyncIterator[bytes]:
    with watching(tail, wanted) as watcher:
        yield b": watching\n\n"
        quiet = 0
        while not tail.ended:
            await asyncio.sleep(LOOK)
            found = watcher.look()
            quiet = 0 if found else quiet + 1
            if found:
                yield b"data: " + found + b"\n\n"
            elif quiet % BEAT == 0:
                yield b": still watching\n\n"
