"""What large data costs: a lookup among a hundred thousand entries against ten, and what deciding feels of a reload.

    python tests/bench/data.py [--quick] [--interpreted]

In this process, without gRPC: one thread decides without pause, as the polling thread does under load, while another
one reads and compiles a file of as many networks that changed. The longest time between two decisions is what a caller
could have waited; the same is measured in peace.
"""

from __future__ import annotations

import sys
import threading
import time
from ipaddress import IPv4Address
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from timeit import Timer
from typing import TYPE_CHECKING

import built
from comparing import FULL, QUICK, Row, row

from authz.cel import NETWORK_SET, STRING, STRING_MAP, STRING_SET, Constant, Environment, NetworkIndex, StringSet
from authz.content import Body
from authz.model import ANONYMOUS, Peer, Request
from authz.policy import Facts
from authz.server.deciding import compiler
from authz.store import read
from authz.transport.fast import SWITCH_INTERVAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from comparing import Effort

    from authz.cel import CelType
    from authz.policy import Compiler, PolicySet

FEW, MANY = 10, 100_000
CALLS = 2_000
POLICY = """
apiVersion: authz/v1
kind: Policy
metadata: {name: p}
spec:
  match: [{paths: ["/**"]}]
  rules: [{name: listed, allow: client.ip.inSet(data.networks)}]
---
apiVersion: authz/v1
kind: Data
metadata: {name: networks}
spec: {networks: {file: networks.txt}}
"""


def addresses(number: int) -> list[str]:
    """Return addresses no two of which touch, so that none of their networks merge."""
    return [str(IPv4Address(0x0A000000 + 2 * index)) for index in range(number)]


def data(effort: Effort, folder: Path) -> Iterator[Row]:
    """Compare lookups among `MANY` with lookups among `FEW`, and deciding during a reload with deciding in peace."""
    for what, asked in KINDS.items():
        few, many = asked(FEW), asked(MANY)
        pairs = [(_microseconds(few), _microseconds(many)) for _ in range(effort.rounds)]
        yield row("data", f"µs per {what}", (f"{FEW} entries", f"{MANY:,}"), pairs, at_most=2.0)
    stalls = [_stalls(folder, number) for number in range(effort.rounds)]
    yield row("data", f"ms of the longest stall, {MANY:,} networks", ("in peace", "during a reload"), stalls)


def _asked(expression: str, type_: CelType, value: object) -> Callable[[], object]:
    """Return what looks up one address after another, most of which are not there."""
    environment = Environment({"ip": STRING, "data.d": type_})
    holds = environment.compile(expression).holds
    turns = cycle([environment.activation({"ip": address, "data.d": value}) for address in addresses(CALLS)])
    return lambda: holds(next(turns))


KINDS: dict[str, Callable[[int], Callable[[], object]]] = {
    "address in networks": lambda number: _asked("ip.inSet(data.d)", NETWORK_SET, NetworkIndex(addresses(number))),
    "text in values": lambda number: _asked("ip in data.d", STRING_SET, StringSet(addresses(number))),
    "key in a map": lambda number: _asked(
        "ip in data.d", STRING_MAP, Constant(dict.fromkeys(addresses(number), "gold"))
    ),
}


def _microseconds(asked: Callable[[], object]) -> float:
    return min(Timer(asked).repeat(3, CALLS)) / CALLS * 1e6


def _stalls(folder: Path, number: int) -> tuple[float, float]:
    """Return the longest stall in milliseconds, in peace and while changed networks are read and compiled."""
    (folder / "p.yaml").write_text(POLICY)
    file, networks = folder / "networks.txt", "\n".join(addresses(MANY))
    made = compiler("auto")
    file.write_text(networks)
    policies = _compiled(made, folder)
    peace = _longest(policies, lambda: time.sleep(0.5))
    file.write_text(f"{networks}\n192.0.2.{number}\n")
    return peace, _longest(policies, lambda: _compiled(made, folder))


def _compiled(made: Compiler, folder: Path) -> PolicySet:
    return made.compile(read([folder]).files)


def _longest(policies: PolicySet, meanwhile: Callable[[], object]) -> float:
    """Decide until something else is done; return the longest time between two decisions, in milliseconds."""
    request = Request(
        id="", method="GET", scheme="https", host="h", port=443, path="/", query="", protocol="HTTP/2", time=0.0,
        headers={}, source=Peer(ip="10.0.0.1"), destination=Peer(),
    )  # fmt: skip
    facts = Facts(request=request, identity=ANONYMOUS, body=Body(request), client_ip="10.0.0.1")
    working = threading.Thread(target=meanwhile)
    longest, before = 0.0, time.perf_counter()
    working.start()
    while working.is_alive():
        policies.select(request).decide(facts)
        now = time.perf_counter()
        longest, before = max(longest, now - before), now
    working.join()
    return longest * 1e3


if __name__ == "__main__":
    built.choose()
    sys.setswitchinterval(SWITCH_INTERVAL)
    from rich.console import Console
    from run import table

    with TemporaryDirectory() as scratch:
        Console(width=160).print(table(list(data(QUICK if "--quick" in sys.argv else FULL, Path(scratch)))))
