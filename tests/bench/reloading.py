"""What a reload costs: how long until one changed document of ten thousand answers, and what calls feel meanwhile.

The change is one rename of a ConfigMap's `..data`, as a kubelet makes it. It turns one allowed check into a denied one
and back, and that check is asked along with the others: the reload is over when its answer turns. Latencies are those
of an open loop at about half of what the server can do, over the same span of time with and without a reload in it.
"""

from __future__ import annotations

import time
from itertools import cycle
from typing import TYPE_CHECKING

import load
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
SPAN = 0.5  # seconds that are measured from the change on: the reload and a little more
RELOADED_WITHIN = 30.0
SHARE = 4  # one check in so many is about the changed document
PROBE = 100  # calls with which a reload that takes longer than SPAN is waited for


def reload(effort: Effort, folder: Path) -> Iterator[Row]:
    """Compare the time of a reload with its bound, and calls during a reload with calls in peace."""
    checks = many_document_checks([CHANGED if index % SHARE == 0 else index for index in range(2000)])
    messages = payloads(checks)
    policies = ConfigMap(folder / "policies", many_documents(DOCUMENTS))
    changed = many_documents(DOCUMENTS, changed=CHANGED)
    versions = cycle((changed, many_documents(DOCUMENTS)))
    with servers.authz(policies.folder, folder, "authz", ready=checks[0]) as authz:
        rate = closed_loop(authz, messages, effort).rate / 2
        peaceful, reloading, waits = [], [], []
        for _ in range(effort.rounds):
            version = next(versions)
            never = Answers(allowed=version is not changed)  # the same work for the load generator as below
            peaceful.append(load.run(authz.target, messages, seconds=SPAN, rate=rate, answered=never).p99 * 1e3)
            staged = policies.stage(version)
            wait, measured = _reload(authz.target, messages, rate, policies, staged, allowed=version is not changed)
            waits.append((BOUND * 1e3, wait * 1e3))
            reloading.append(measured.p99 * 1e3)
    sides = ("in peace", "during a reload")
    yield row("reload", "ms until one changed document answers", ("bound", "authz serve"), waits, at_most=1.0)
    yield row("reload", f"p99 ms at {rate:,.0f}/s", sides, list(zip(peaceful, reloading, strict=True)), at_most=2.0)


def _reload(
    target: str, messages: Sequence[bytes], rate: float, policies: ConfigMap, staged: Path, *, allowed: bool
) -> tuple[float, load.Measurement]:
    """Swap in a staged version under load; return the seconds until it answered, and what calls saw in `SPAN`."""
    answers = Answers(allowed=allowed)
    policies.swap(staged)
    begun = time.perf_counter()
    measured = load.run(target, messages, seconds=SPAN, rate=rate, answered=answers)
    while answers.turned is None:
        if time.perf_counter() > begun + RELOADED_WITHIN:
            raise BenchmarkError(f"no new generation answers within {RELOADED_WITHIN:g} s")
        load.run(target, messages, calls=PROBE, answered=answers)
    return answers.turned - begun, measured


class Answers:
    """Watches the answers about the changed document, every fourth, and remembers when the first one turned."""

    def __init__(self, *, allowed: bool) -> None:
        self._allowed = allowed
        self.turned: float | None = None

    def __call__(self, index: int, _status: int, message: bytes) -> None:
        """Look at one answer."""
        if self.turned is None and index % SHARE == 0 and allows(message) is self._allowed:
            self.turned = time.perf_counter()
