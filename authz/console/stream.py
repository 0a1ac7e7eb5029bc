"""The live tail as server-sent events (HTML standard, section 9.2): one event a look, a comment while nothing comes.

Other workers' events are passed on as they come; what one has for us while we look elsewhere is bounded.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import msgspec
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from authz.console.tail import MOST_WATCHERS, Tail
from authz.console.watching import Wanted, watching

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

LOOK = 0.25
"""Seconds between two looks."""

BEAT = 40
"""Looks without anything after which a comment shows that the connection lives."""

LONGEST = 200
"""Characters of a filter that count."""


LINE = 2**22
"""Bytes of another worker's event, with room to spare: forty records."""

WAITING = 64
"""Events of other workers that wait for a look; of more, the oldest are not shown."""

AGAIN = 1.0
"""Seconds after which a worker that has gone is watched anew."""


def decisions(
    tail: Tail, query: Mapping[str, str], headers: Mapping[str, str], others: Sequence[tuple[str, int]] = ()
) -> Response:
    """Answer with decisions as they are made, here and by `others`; `decision` and `text` of the query say which."""
    if tail.watchers >= MOST_WATCHERS:
        return PlainTextResponse("too many are watching\n", 503, headers=dict(headers))
    wanted = Wanted(decision=query.get("decision", "")[:LONGEST], text=query.get("text", "")[:LONGEST])
    return StreamingResponse(_events(tail, wanted, others), media_type="text/event-stream", headers=dict(headers))


async def _events(tail: Tail, wanted: Wanted, others: Sequence[tuple[str, int]]) -> AsyncIterator[bytes]:
    with watching(tail, wanted) as watcher, _followed(others, wanted) as came:
        yield b": watching\n\n"
        quiet = 0
        while not tail.ended:
            await asyncio.sleep(LOOK)
            if found := watcher.look():
                came.append(b"data: " + found + b"\n")
            quiet = 0 if came else quiet + 1
            if came:
                events = b"".join(event + b"\n" for event in came)
                came.clear()  # before it is left to others, who may add
                yield events
            elif quiet % BEAT == 0:
                yield b": still watching\n\n"


@contextmanager
def _followed(others: Sequence[tuple[str, int]], wanted: Wanted) -> Iterator[deque[bytes]]:
    """Follow what other workers tell; yields where their events are put."""
    came: deque[bytes] = deque(maxlen=WAITING)
    query = urlencode(msgspec.structs.asdict(wanted))
    tasks = [asyncio.create_task(_follow(host, port, query, came)) for host, port in others]
    try:
        yield came
    finally:
        for task in tasks:
            task.cancel()


async def _follow(host: str, port: int, query: str, came: deque[bytes]) -> None:
    while True:
        with suppress(OSError, ValueError):  # it has gone, or says what is too long
            reader, writer = await asyncio.open_connection(host, port, limit=LINE)
            try:
                writer.write(f"GET /api/decisions?{query} HTTP/1.0\r\n\r\n".encode())
                while line := await reader.readline():
                    if line.startswith(b"data: "):
                        came.append(line)
            finally:
                writer.close()
        await asyncio.sleep(AGAIN)
