"""Several workers through the admin port of the first: whether all are ready, how each one is, the numbers of each.

The others are asked at their own admin ports, all at once and for a second at most. One that does not answer, since it
is just started anew, is not ready, and has no numbers.
"""

from __future__ import annotations

import asyncio
import http.client
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.concurrency import run_in_threadpool

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

WAIT = 1.0
"""Seconds that one worker's answer may take."""

_SHOWN = ("worker", "admin_port", "ready", "generation", "policy_digest", "in_flight")
"""What is said of each worker; its own admin port says the rest."""


class Workers:
    """The workers as one of them sees them: `number` is its own, `others` are the admin ports that it is to ask."""

    def __init__(self, number: int, host: str, others: Mapping[int, int]) -> None:
        self._number = number
        self._host = host
        self._others = others

    async def ready(self) -> bool:
        """Say whether every other worker is ready: on a port that all share, one that is not is asked like the rest."""
        return all((await self._asked("/readyz")).values())

    async def pages(self, path: str, own: object) -> list[Any]:
        """Return what every worker that answers has at a path, decoded; `own`, which this one has, is the first."""
        pages = (await self._asked(path)).values()
        return [msgspec.to_builtins(own), *(msgspec.json.decode(page) for page in pages if page)]

    @property
    def number(self) -> int:
        """How many there are, as far as this one knows."""
        return 1 + len(self._others)

    @property
    def others(self) -> tuple[tuple[str, int], ...]:
        """Where the others are, host and port."""
        return tuple((self._host, port) for port in self._others.values())

    async def numbers(self, own: bytes) -> bytes:
        """Return the numbers of every worker that answers, in Prometheus' text format."""
        return merged([labelled(own, self._number), *(await self._asked("/metrics")).values()])

    async def states(self, own: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return how every worker is; one that does not answer is not ready."""
        return [shown(own), *(self._state(number, page) for number, page in (await self._asked("/status")).items())]

    def _state(self, number: int, page: bytes) -> dict[str, Any]:
        if page:
            return shown(msgspec.json.decode(page))
        return {"worker": number, "admin_port": self._others[number], "ready": False}

    async def _asked(self, path: str) -> dict[int, bytes]:
        pages = (run_in_threadpool(_page, self._host, port, path) for port in self._others.values())
        return dict(zip(self._others, await asyncio.gather(*pages), strict=True))


def shown(status: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is said of one worker among others."""
    return {name: status[name] for name in _SHOWN if name in status}


def merged(pages: Iterable[bytes]) -> bytes:
    """Return one page of the pages of workers, each family once."""
    families: dict[str, dict[str, None]] = {}
    for page in pages:
        family: dict[str, None] = {}
        for line in page.decode().split("\n")[:-1]:
            if line.startswith("# HELP "):
                family = families.setdefault(line.split(" ", 3)[2], {})
            family[line] = None
    return "".join(f"{line}\n" for family in families.values() for line in family).encode()


def labelled(page: bytes, worker: int) -> bytes:
    """Return a page each sample of which has the label `worker`."""
    lines = page.decode().split("\n")[:-1]
    return "".join(f"{line if line.startswith('#') else _labelled(line, worker)}\n" for line in lines).encode()


def _labelled(sample: str, worker: int) -> str:
    name, labels, rest = sample.partition("{")
    if labels:
        return f'{name}{{worker="{worker}",{rest}'
    name, _, value = sample.partition(" ")
    return f'{name}{{worker="{worker}"}} {value}'


def _page(host: str, port: int, path: str) -> bytes:
    """Return a page of another worker; `b""` where there is none."""
    connection = http.client.HTTPConnection(host, port, timeout=WAIT)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        content = answer.read()
    except (OSError, http.client.HTTPException):
        return b""
    finally:
        connection.close()
    return content if answer.status == http.client.OK else b""
