"""The requests the demo shows: what to paste, and what must come back."""

from __future__ import annotations

import http.client
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """One request of the demo. `expect` is the status of each repetition, in order."""

    title: str
    method: str = "GET"
    path: str
    headers: Mapping[str, str] = {}
    expect: tuple[int, ...]

    def curl(self, base: str) -> str:
        """Return the line to paste."""
        method = "" if self.method == "GET" else f"-X {self.method} "
        headers = "".join(f"-H '{name}: {value}' " for name, value in self.headers.items())
        line = f"curl -i {method}{headers}'{base}{self.path}'"
        times = len(self.expect)
        return line if times == 1 else f"for i in {' '.join(map(str, range(1, times + 1)))}; do {line}; done"


TOUR = (
    Shown(title="allowed: anyone may look at the shop", path="/products", expect=(200,)),
    Shown(
        title="denied, and told why",
        method="DELETE",
        path="/orders/7",
        headers={"x-tenant": "acme"},
        expect=(403,),
    ),
    Shown(title="denied: nothing governs this path", path="/admin", expect=(403,)),
    Shown(
        title="redirected: a browser that nobody knows is sent to sign in",
        path="/orders",
        headers={"accept": "text/html"},
        expect=(302,),
    ),
    Shown(
        title="limited: the fourth order in a minute waits",
        method="POST",
        path="/orders",
        headers={"x-tenant": "acme"},
        expect=(200, 200, 200, 429),
    ),
)


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What came back for one request."""

    shown: Shown
    statuses: tuple[int, ...]
    retry_after: str | None = None

    @property
    def right(self) -> bool:
        """Whether every status is the expected one, and a 429 says when to come back."""
        return self.statuses == self.shown.expect and (429 not in self.statuses or self.retry_after is not None)


def perform(port: int) -> Iterator[Seen]:
    """Send the whole tour through Envoy on loopback and yield what came back."""
    for shown in TOUR:
        answers = [_send(port, shown) for _ in shown.expect]
        yield Seen(shown=shown, statuses=tuple(status for status, _ in answers), retry_after=answers[-1][1])


def _send(port: int, shown: Shown) -> tuple[int, str | None]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(shown.method, shown.path, headers=dict(shown.headers))
        response = connection.getresponse()
        response.read()
        return response.status, response.getheader("retry-after")
    finally:
        connection.close()
