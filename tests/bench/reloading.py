"""What a reload costs: how long until one changed document of ten thousand answers, and what calls feel meanwhile.

The change is one rename of a ConfigMap's `..data`, as a kubelet makes it. It turns one allowed check into a denied one
and back, and that check is asked along with the others: the reload is over when its answer turns. Latencies are those
of an open loop at half of what the server can do at its best: from the rename until `BEHIND` seconds after the answer
turned, and of a span as long as that just before, in which nothing changes. Both are short, so there are many of each,
turn by turn. Of these the half is kept that others on the machine disturbed least, and how much they did is said.
"""

from __future__ import annotations

import time
from itertools import cycle
from statistics import median
from typing import TYPE_CHECKING

import load
import msgspec
import servers
from checks import allows, payloads
from comparing import BenchmarkError, Effort, Row, closed_loop, row

from policies import ConfigMap, many_document_checks, many_documents

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

DOCUMENTS = 10_000
CHANGED = 4321
BOUND = 0.3  # seconds until the new generation answers
BEHIND = 0.05  # seconds that are measured from then on: what is left behind is put away
WITHIN = 30.0  # seconds after which a reload will not come
REST = 0.1  # seconds for the server to take note of the files of a version that is not in force yet
SHARE = 4  # one check in so many is about the changed document
TURNS = 6  # for each round of the effort


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One reload: seconds until it answered, p99 in seconds before and meanwhile, the share of the cores others had."""

    waited: float
    peaceful: float
    reloading: float
    others: float


def reload(effort: Effort, folder: Path) -> Iterator[Row]:
    """Compare the time of a reload with its bound, and calls during a reload with calls in peace."""
    checks = many_document_checks([CHANGED if index % SHARE == 0 else index for index in range(2000)])
    messages = payloads(checks)
    policies = ConfigMap(folder / "policies", many_documents(DOCUMENTS))
    with servers.authz(policies.folder, folder, "authz", ready=checks[0]) as authz:
        rate = max(closed_loop(authz, messages, effort).rate for _ in range(effort.rounds)) / 2
        turns = list(_turns(authz, messages, rate, policies, TURNS * effort.rounds))
    kept = sorted(turns, key=lambda turn: turn.others)[: len(turns) // 2]
    sides = ("in peace", "during a reload")
    told = f"p99 ms at {rate:,.0f}/s, others {median(turn.others for turn in kept):.0%}"
    waits = [(BOUND * 1e3, turn.waited * 1e3) for turn in kept]
    yield row("reload", "ms until one changed document answers", ("bound", "authz serve"), waits, at_most=1.0)
    yield row("reload", told, sides, [(turn.peaceful * 1e3, turn.reloading * 1e3) for turn in kept], at_most=2.0)


def _turns(
    server: servers.Server, messages: Sequence[bytes], rate: float, policies: ConfigMap, number: int
) -> Iterator[Turn]:
    """Reload so many times, and twice before, which warms both versions up and says how long a reload takes."""
    versions = cycle((False, True))
    texts = {True: many_documents(DOCUMENTS), False: many_documents(DOCUMENTS, changed=CHANGED)}
    span = BOUND
    for turn in range(-2, number):
        allowed = next(versions)
        staged = policies.stage(texts[allowed])
        time.sleep(REST)
        others = servers.Others(server)
        never = Answers(allowed=allowed)  # the same work for the load generator as below
        peaceful = load.run(server.target, messages, seconds=span, rate=rate, answered=never, enough=never.enough)
        answers = Answers(allowed=allowed)
        policies.swap(staged)
        begun = time.perf_counter()
        reloading = load.run(
            server.target, messages, seconds=WITHIN, rate=rate, answered=answers, enough=answers.enough
        )
        if answers.turned is None:
            raise BenchmarkError(f"no new generation answers within {WITHIN:g} s")
        waited = answers.turned - begun
        span = waited + BEHIND
        if turn >= 0:
            yield Turn(waited=waited, peaceful=peaceful.p99, reloading=reloading.p99, others=others.share())


class Answers:
    """Watches the answers about the changed document, every fourth, and remembers when the first one turned."""

    def __init__(self, *, allowed: bool) -> None:
        self._allowed = allowed
        self.turned: float | None = None

    def __call__(self, index: int, _status: int, message: bytes) -> None:
        """Look at one answer."""
        if self.turned is None and index % SHARE == 0 and allows(message) is self._allowed:
            self.turned = time.perf_counter()

    def enough(self) -> bool:
        """Return whether the answer has turned a while ago."""
        return self.turned is not None and time.perf_counter() > self.turned + BEHIND
