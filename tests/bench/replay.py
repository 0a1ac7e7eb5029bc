"""A log of a million decisions against a hundred documents, of which two were changed: found exactly, and how fast.

    python tests/bench/replay.py [--records 1000000] [--documents 100] [--workers 1] [--gate]

The log is what the engine records of these requests, with paths and ids that never repeat. One of the changed documents
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
from typing import TYPE_CHECKING

from checks import Check
from rich.console import Console
from rich.table import Table

from authz.audit import ReadsForm, ReadsWriter, line_of
from authz.cli.replay.running import tallies
from authz.cli.replay.tally import Kind, Tally
from authz.config.settings import ClientSettings
from authz.engine import Engine
from authz.limits.memory import MemoryLimiter
from authz.server.client import client_ip
from authz.server.deciding import parts, policies_in
from authz.server.records import stretches
from authz.store import Snapshot
from policies import HOSTS, many_documents

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from authz.model import Outcome

BOUND = 0.5
ENGINE_CHECKS = 20_000
CLOSED, OPENED = 3, 5
"""The document that is closed, and the one that is opened to those it denied."""

_ID = re.compile(rb'"id":"[0-9a-f]{32}"')
_PATH = re.compile(rb'(/v1/r\d+)/\d+"')


class _Call:
    """A call that wants nothing."""

    deadline = None
    cancelled = False
    metadata = ()

    def answer(self, response: bytes) -> None:
        """Take the answer."""


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
    call = _Call()
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


def written_in(folder: Path, documents: int, *, changed: bool) -> Path:
    """Write the policies, as they were or changed."""
    folder.mkdir()
    for name, text in many_documents(documents, changed=CLOSED if changed else None).items():
        opened = text.replace(f'== "t{OPENED}"', '!= ""') if changed else text
        (folder / name).write_text(opened)
    return folder


def measure(folder: Path, options: argparse.Namespace) -> int:
    """Make the log, replay it, and say what came of it."""
    before = written_in(folder / "before", options.documents, changed=False)
    after = written_in(folder / "after", options.documents, changed=True)
    checks = requests(options.documents)
    outcomes, in_process = decided(before, [check.payload(number) for number, check in enumerate(checks)])
    writer = ReadsWriter(ReadsForm.VALUES)
    log = folder / "decisions.jsonl"
    write(log, [line_of(outcome, reads=writer) for outcome in outcomes], options.records)
    clock = time.process_time if options.workers == 1 else time.perf_counter
    started = clock()
    tally = Tally().add(tally for _, tally in tallies([after], stretches(log), options.workers))
    rate = options.records / (clock() - started) / options.workers
    wrong = problems(tally, options.records, len(checks))
    shown = Table("records", "decided", "in process, decisions/s", "replay, records/s and process", "ratio", box=None)
    shown.add_row(
        f"{tally.records:,}", f"{tally.made:,}", f"{in_process:,.0f}", f"{rate:,.0f}", f"{rate / in_process:.2f}"
    )
    Console(width=None if sys.stdout.isatty() else 140).print(shown)
    for problem in wrong:
        print(problem, file=sys.stderr)
    return 1 if wrong or (options.gate and rate / in_process < BOUND) else 0


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
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--documents", type=int, default=100)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--gate", action="store_true", help="exit 1 where it is slower than half the engine")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="replay-") as folder:
        return measure(Path(folder), options)


if __name__ == "__main__":
    sys.exit(main())
