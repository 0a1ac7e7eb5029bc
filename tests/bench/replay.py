"""A log of a million decisions against a hundred documents, of which two were changed: found exactly, and how fast.

    python tests/bench/replay.py [--records 1000000] [--documents 100] [--workers 1] [--gate]

The log is what the engine records of these requests, with paths and ids that never repeat: once for rules that look at
them, so that each record is decided, and once for rules that do not, so that few are. One of the changed documents
lets nobody in any more, the other lets in whom it did not: the replay must find every one of their requests and no
other. Its speed is compared with the same engine deciding the same requests in this process, without a transport.
Both are per second of processor time, where one process replays: other work on the machine then matters little. Exit
status 1 where a change is missed or made up; with --gate also where it is slower than half of that.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import built
from checks import Check
from rich.console import Console
from rich.table import Table

from authz.audit import LineWriter, ReadsForm, ReadsWriter
from authz.cli.replay.running import tallies
from authz.cli.replay.tally import Kind, Tally
from authz.config.settings import ClientSettings
from authz.engine import Engine
from authz.limits.memory import MemoryLimiter
from authz.server.client import client_ip
from authz.server.deciding import parts, policies_in
from authz.server.records import stretches
from authz.store import Snapshot
from authz.testing.asking import Call
from policies import HOSTS, many_documents

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from authz.model import Outcome

BOUND = 0.5
ENGINE_CHECKS = 20_000
BY_PATH = " && size(request.params) == 0"
"""What makes every path a request of its own to the rules."""

CLOSED, OPENED = 3, 5
"""The document that is closed, and the one that is opened to those it denied."""

_ID = re.compile(rb'"id":"[0-9a-f]{32}"')
_PATH = re.compile(rb'(/v1/r\d+)/\d+"')


def requests(documents: int) -> list[Check]:
    """Return for each document a read that is allowed, one for a tenant that is not, and a method nobody allows."""
    found = []
    for index in range(documents):
        path, host = f"/v1/r{index // HOSTS}/{index}", f"h{index % HOSTS}.example.com"
        for method, tenant in (("GET", f"t{index}"), ("GET", "another"), ("DELETE", f"t{index}")):
            found.append(Check(method=method, host=host, path=path, headers={"x-tenant": tenant}))
    return found


def decided(policies: Path, messages: Sequence[bytes]) -> tuple[list[Outcome], float]:
    """Return what the engine makes of each message, and how many it decides a second."""
    outcomes: list[Outcome] = []
    snapshot = Snapshot(policies=policies_in([policies]), generation=1, loaded_at=0.0)
    engine = Engine(
        parts(
            snapshot=lambda: snapshot,
            limiter=MemoryLimiter(),
            client_ip=client_ip(ClientSettings()),
            fault=_raise,
            observers=(outcomes.append,),
        )
    )
    call = Call()
    for message in messages:
        engine.check(message, call)
    first = outcomes[:]
    started = time.process_time()
    for number in range(ENGINE_CHECKS):
        engine.check(messages[number % len(messages)], call)
    return first, ENGINE_CHECKS / (time.process_time() - started)


def _raise(error: BaseException) -> None:
    raise error


def write(log: Path, lines: Sequence[bytes], records: int) -> None:
    """Write so many records, each with an id and a path of its own."""
    with log.open("wb", buffering=1 << 20) as file:
        file.writelines(_copies(lines, records))


def _copies(lines: Sequence[bytes], records: int) -> Iterator[bytes]:
    for number in range(records):
        line = lines[number % len(lines)]
        line = _ID.sub(b'"id":"%032x"' % number, line, count=1)
        yield _PATH.sub(rb"\g<1>/%d" % number + b'"', line, count=1)


def written_in(folder: Path, documents: int, *, by_path: bool, changed: bool) -> Path:
    """Write the policies, as they were or changed; with `by_path`, rules look at what differs in every request."""
    folder.mkdir(parents=True)
    for name, written in many_documents(documents, changed=CLOSED if changed else None).items():
        text = written if by_path else written.replace(BY_PATH, "")
        (folder / name).write_text(text.replace(f'== "t{OPENED}"', '!= ""') if changed else text)
    return folder


def measure(folder: Path, options: argparse.Namespace, *, by_path: bool) -> Measured:
    """Make the log and replay it."""
    before = written_in(folder / "before", options.documents, by_path=by_path, changed=False)
    after = written_in(folder / "after", options.documents, by_path=by_path, changed=True)
    checks = requests(options.documents)
    outcomes, in_process = decided(before, [check.payload(number) for number, check in enumerate(checks)])
    writer = ReadsWriter(ReadsForm.VALUES)
    log = folder / "decisions.jsonl"
    write(log, list(map(LineWriter(reads=writer), outcomes)), options.records)
    clock = time.process_time if options.workers == 1 else time.perf_counter
    started = clock()
    tally = Tally().add(tally for _, tally in tallies([after], stretches(log), options.workers))
    rate = options.records / (clock() - started) / options.workers
    return Measured(tally, in_process, rate, problems(tally, options.records, len(checks)))


class Measured(NamedTuple):
    """What came of one log: decisions in process and records of the replay, per second, and what was not found."""

    tally: Tally
    in_process: float
    rate: float
    wrong: list[str]


def problems(tally: Tally, records: int, kinds: int) -> list[str]:
    """Return in what the replay differs from what was planted."""
    planted = {
        Kind.DENIED: _how_many(records, kinds, 3 * CLOSED),
        Kind.ALLOWED: _how_many(records, kinds, 3 * OPENED + 1),
        Kind.REASON: 0,
        Kind.UNDETERMINED: 0,
    }
    found = {kind: tally.total(kind) for kind in Kind}
    wrong = [f"{kind}: planted {planted[kind]}, found {found[kind]}" for kind in Kind if planted[kind] != found[kind]]
    return wrong + ([f"read {tally.records} of {records} records"] if tally.records != records else [])


def _how_many(records: int, kinds: int, place: int) -> int:
    """Return how many of the records are copies of one."""
    return (records - place + kinds - 1) // kinds


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what the command line says."""
    parser = argparse.ArgumentParser(description="Replay a large log with planted changes.")
    built.option(parser)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--documents", type=int, default=100)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--gate", action="store_true", help="exit 1 where it is slower than half the engine")
    options = parser.parse_args(arguments)
    shown = Table(
        "rules look at", "records", "decided", "in process, decisions/s", "replay, records/s", "ratio", box=None
    )
    fine = True
    for about, by_path in (("every path", True), ("no path", False)):
        with tempfile.TemporaryDirectory(prefix="replay-") as folder:
            one = measure(Path(folder), options, by_path=by_path)
        ratio = one.rate / one.in_process
        numbers = one.tally.records, one.tally.made, round(one.in_process), round(one.rate)
        shown.add_row(about, *(f"{number:,}" for number in numbers), f"{ratio:.2f}")
        fine = fine and not one.wrong and (ratio >= BOUND or not options.gate)
        for problem in one.wrong:
            print(f"{about}: {problem}", file=sys.stderr)
    Console(width=None if sys.stdout.isatty() else 140).print(shown)
    return 0 if fine else 1


if __name__ == "__main__":
    built.choose()
    sys.exit(main())
