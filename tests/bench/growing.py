"""What more policies cost: CPU per decision and memory, ten thousand documents against ten; memory of the demo."""

from __future__ import annotations

from typing import TYPE_CHECKING

import servers
from checks import payloads, verify
from comparing import Effort, Row, closed_loop, in_turns, row

from policies import SHOP, ConfigMap, many_document_checks, many_documents, shop_checks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FEW, MANY = 10, 10_000
MIB = 1 << 20


def documents(effort: Effort, folder: Path) -> Iterator[Row]:
    """Compare the service with `FEW` and with `MANY` documents: the same checks, checks that visit all, and memory."""
    same = many_document_checks([index % FEW for index in range(5000)])
    spread = many_document_checks(list(range(0, MANY, 2)))
    few = ConfigMap(folder / "few", many_documents(FEW)).folder
    many = ConfigMap(folder / "many", many_documents(MANY)).folder
    sides = (f"{FEW} documents", f"{MANY:,} documents")
    with (
        servers.authz(few, folder, "ten", ready=same[0]) as small,
        servers.authz(many, folder, "thousands", ready=same[0]) as large,
    ):
        verify(small.target, same)
        verify(large.target, spread)
        for measure, asked, bound in (("one set of checks", same, 1.3), ("all documents asked", spread, None)):
            here, there = payloads(same), payloads(asked)
            rounds = in_turns(
                effort.rounds,
                lambda messages=here: closed_loop(small, messages, effort),
                lambda messages=there: closed_loop(large, messages, effort),
            )
            pairs = [(1e6 / baseline.per_cpu, 1e6 / subject.per_cpu) for baseline, subject in rounds]
            yield row("documents", f"CPU µs per call, {measure}", sides, pairs, at_most=bound)
        yield row("documents", "resident MiB", sides, [(small.resident() / MIB, large.resident() / MIB)])


def memory(effort: Effort, folder: Path) -> Iterator[Row]:
    """Compare the memory of `authz serve` with the demo's policies, after a round of checks, with 130 MiB."""
    checks = shop_checks(1000)
    with servers.authz(SHOP, folder, "shop", ready=checks[0]) as authz:
        verify(authz.target, checks)
        closed_loop(authz, payloads(checks), effort)
        resident = authz.resident() / MIB
    yield row("memory", "resident MiB", ("bound", "authz serve, policies/shop"), [(130.0, resident)], at_most=1.0)
