"""`make bench`: every benchmark, one after the other, as a table or as JSON.

    python tests/bench/run.py [--quick] [--interpreted] [--output pretty|json] [--gate] [NAME ...]

A benchmark is a function from effort and scratch folder to rows. Bounds are on ratios within this run, never on what
one machine can do. The load generator runs on the first core this process may use, the server under test on the last.
What is measured is the package as it gets deployed (`built`), or with `--interpreted` the checkout.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import built
import msgspec
from checks import WrongAnswerError
from comparing import FULL, QUICK, BenchmarkError, Effort, Row
from content import content
from data import data
from deciding import candidate, decision, limits, record, transport
from growing import documents, memory
from http2 import ConnectionLostError
from identity import identity
from peers import PEERS
from reloading import reload
from rich.console import Console
from rich.table import Table
from servers import LOAD_CORE, SERVER_CORE, ServerError
from through_envoy import envoy

from authz import __version__
from authz.build import build

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

BENCHMARKS: Mapping[str, Callable[[Effort, Path], Iterator[Row]]] = {
    function.__name__: function
    for function in (
        transport,
        decision,
        candidate,
        identity,
        content,
        limits,
        envoy,
        documents,
        data,
        reload,
        memory,
        record,
    )
}

QUIET = 0.5  # load average above which the cores are not ours alone


def machine() -> str:
    """Return one line that says what the numbers were measured on."""
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    model = models[0].partition(":")[2].strip() if models else platform.machine()
    libraries = ", ".join(f"{name} {version(name)}" for name in ("grpcio", "protobuf", "cel-expr-python"))
    return (
        f"{model}, {os.cpu_count()} cores (load generator on {LOAD_CORE}, server on {SERVER_CORE}), "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}, {libraries}"
    )


def table(rows: Sequence[Row]) -> Table:
    """Return the rows as people read them."""
    drawn = Table("benchmark", "measure", "baseline", "subject", "ratio", "bound", box=None, pad_edge=False)
    for row in rows:
        drawn.add_row(
            row.benchmark,
            row.measure,
            f"{row.baseline}: {_number(row.baseline_value)}",
            f"{row.subject}: {_number(row.subject_value)}",
            f"{row.ratio:.2f} ({row.low:.2f} to {row.high:.2f})",
            _bound(row),
        )
    return drawn


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _bound(row: Row) -> str:
    if row.met is None:
        return ""
    bound = f"at least {row.at_least:g}" if row.at_least is not None else f"at most {row.at_most:g}"
    return f"{bound}: {'met' if row.met else 'MISSED'}"


def measure(names: Sequence[str], effort: Effort) -> tuple[list[Row], bool]:
    """Run these benchmarks; what cannot be measured is said on standard error and makes the second value False."""
    rows: list[Row] = []
    whole = True
    for name in names:
        print(f"{name} ...", file=sys.stderr)
        with tempfile.TemporaryDirectory(prefix=f"{name}-") as folder:
            try:
                for row in {**BENCHMARKS, **PEERS}[name](effort, Path(folder)):
                    rows.append(row)  # noqa: PERF402 - rows before a failure are kept
            except (BenchmarkError, ServerError, WrongAnswerError, ConnectionLostError, OSError) as error:
                print(f"{name}: {error}", file=sys.stderr)
                for log in sorted(Path(folder).glob("*.log")):
                    print(log.read_text(errors="replace")[-2000:], file=sys.stderr)
                whole = False
    return rows, whole


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks named on the command line, or all but those with others written in Go."""
    known = {**BENCHMARKS, **PEERS}
    parser = argparse.ArgumentParser(description="Measure the service against baselines in the same run.")
    built.option(parser)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(known))
    parser.add_argument("--quick", action="store_true", help="few and short rounds: a smoke test, not a measurement")
    parser.add_argument("--output", choices=["pretty", "json"], default="pretty")
    parser.add_argument("--gate", action="store_true", help="exit 1 where a bound is missed")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(known):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))} (there are {', '.join(known)})")
    os.sched_setaffinity(0, {LOAD_CORE})
    if (load := os.getloadavg()[0]) > QUIET:
        print(f"other work is running (load {load:.1f}): trust the CPU seconds more than the clock", file=sys.stderr)
    rows, whole = measure(options.names or list(BENCHMARKS), QUICK if options.quick else FULL)
    if options.output == "json":
        report = msgspec.json.encode({"build": build(), "machine": machine(), "quick": options.quick, "rows": rows})
        print(msgspec.json.format(report).decode())
    else:
        print(f"authz {__version__} ({build()})", machine(), sep="\n")
        Console(width=None if sys.stdout.isatty() else 180).print(table(rows))
    missed = [row for row in rows if row.met is False]
    return 1 if not whole or (options.gate and missed) else 0


if __name__ == "__main__":
    built.choose()
    sys.exit(main())
