"""What `authz envoy` makes carries requests: two workers, each on its socket, and bodies only where they are read."""

from __future__ import annotations

import socket
import subprocess
import sys
import urllib.request
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from authz.config import Settings
from authz.envoy.checking import findings
from tests.e2e.conftest import SERVING, Edge, Envoy, Service, upstream
from tests.transport.conftest import Certificates, certificates

__all__ = ["certificates"]

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

POLICIES = """\
apiVersion: authz/v1
kind: Policy
metadata: {name: orders}
spec:
  match: [{paths: ["/orders/{id}"]}]
  rules:
    - {name: skus, allow: 'request.method == "GET" || request.json.sku == "a"'}
---
apiVersion: authz/v1
kind: Policy
metadata: {name: files}
spec:
  match: [{paths: ["/files/**"]}]
  rules:
    - {name: all, allow: "true"}
    - {name: hides-them, deny: request.path == "/files/hidden"}
"""
WORKERS = 2
LONG = b"x" * 200_000
"""More than is shown of any body."""


class _Workers(Service):
    """A service of several workers, each with a socket and health of its own."""

    def health(self) -> int | None:
        whole, found = self.socket, []
        for worker in range(WORKERS):
            self.socket = whole.with_name(f"authz-{worker}.sock")
            found.append(super().health())
        self.socket = whole
        return SERVING if found == [SERVING] * WORKERS else None


class _Made(Envoy):
    """An Envoy with what `authz envoy --bootstrap` makes of these arguments; up when it listens and asks all hosts."""

    def __init__(self, folder: Path, upstream: int, *arguments: str, hosts: int = 1) -> None:
        self._arguments, self._hosts = arguments, hosts
        super().__init__(folder, folder, upstream)

    def _configuration(self, service: Path, upstream: int) -> dict[str, Any]:  # noqa: ARG002 - the arguments say it
        command = [sys.executable, "-m", "authz", "envoy", "--bootstrap", *self._arguments]
        command += ["--listen-port", str(self.port), "--admin-port", str(self.admin)]
        command += ["--upstream", f"127.0.0.1:{upstream}"]
        made: dict[str, Any] = yaml.safe_load(subprocess.run(command, capture_output=True, check=True).stdout)
        return made

    def _is_up(self) -> bool:
        assert self._process.poll() is None, self.log_file.read_text()
        try:
            healthy = self.stat("cluster.authz.membership_healthy")
            return self.stat("listener_manager.workers_started") == 1 and healthy == self._hosts
        except OSError:
            return False


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """Return service, Envoy and upstream together."""
    folder = tmp_path_factory.mktemp("made")
    policies = folder / "policies.yaml"
    policies.write_text(POLICIES)
    with ExitStack() as stack:
        port = stack.enter_context(upstream())
        workers = ["--workers", str(WORKERS)]
        service = _Workers(folder, policies, *workers)
        stack.callback(service.process.wait)
        stack.callback(service.process.terminate)
        settings = ["--listen", f"unix://{service.socket}", "--policies", str(policies), *workers]
        envoy = _Made(folder, port, "sidecar", *settings, hosts=WORKERS)
        stack.callback(envoy.end)
        yield Edge(service, envoy)


def test_it_allows_and_denies(made: Edge) -> None:
    """What a rule allows reaches the application, and nothing else does."""
    assert made.ask(target="/orders/7").seen["path"] == "/orders/7"
    denied = made.ask(target="/files/hidden")
    assert (denied.status, denied.problem["reason"]) == (403, "deny_rule")
    assert made.ask(target="/elsewhere").problem["reason"] == "no_policy"


def sent(made: Edge, target: str, sku: str) -> int:
    """Post an order; return the status."""
    return made.ask("POST", target, {"content-type": "application/json"}, f'{{"sku": "{sku}"}}'.encode()).status


@pytest.mark.parametrize("target", ["/orders/7", "/orders/7/", "/orders/a%20b"])
def test_bodies_are_shown_where_they_are_read(target: str, made: Edge) -> None:
    """Row B2: on every path of the policy, as its template has it."""
    assert (sent(made, target, "a"), sent(made, target, "b")) == (200, 403)


def test_a_body_that_is_too_long_is_refused(made: Edge) -> None:
    """Row B2: whole or not at all."""
    assert made.ask("POST", "/orders/7", body=LONG).status == 413


def test_bodies_flow_where_they_are_not_read(made: Edge) -> None:
    """Row B11: an upload of any length is passed on, not held back."""
    assert made.ask("POST", "/files/a", body=LONG).status == 200


@pytest.mark.parametrize("target", ["/orders/%37", "/%6frders/7", "/x/../orders/7", "/orders//7", "//orders/7"])
def test_no_other_spelling_slips_past_the_route(target: str, made: Edge) -> None:
    """Row B2: where Envoy took another route than the policy's, the body would be unknown, never absent."""
    assert sent(made, target, "b") == 403


def test_both_workers_are_asked(made: Edge) -> None:
    """Each has a socket of its own, and Envoy balances over them."""
    identifiers = [made.ask(target="/elsewhere")["x-authz-decision-id"] for _ in range(40)]
    workers = {made.service.record(one)["worker"] for one in identifiers if one is not None}
    assert workers == {0, 1}


def test_the_dump_of_a_running_envoy_is_looked_through(made: Edge) -> None:
    """As its admin port writes it: nothing is found, and what is planted in it is."""
    with urllib.request.urlopen(f"http://127.0.0.1:{made.envoy.admin}/config_dump", timeout=5) as response:
        dump = response.read()
    assert findings({"config_dump": dump}, Settings()) == ()
    assert b'"status_on_error"' in dump
    planted = dump.replace(b'"status_on_error"', b'"failure_mode_allow": true, "status_on_error"')
    found = findings({"config_dump": planted}, Settings())
    assert {one.code for one in found} == {"EV201"}


def test_a_service_is_asked_by_mutual_tls(tmp_path: Path, certificates: Certificates) -> None:
    """Envoy knows it by its authority and name, and is known by its own certificate."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    policies = tmp_path / "policies.yaml"
    policies.write_text(POLICIES)
    files = [str(path) for path in (certificates.server, certificates.server_key, certificates.authority)]
    tls = ["--tls-certificate", files[0], "--tls-key", files[1], "--tls-client-ca", files[2], "--listen", address]
    own = ["--authz-certificate", str(certificates.client), "--authz-key", str(certificates.client_key)]
    known = ["--authz", address, "--authz-ca", files[2], *own]
    with ExitStack() as stack:
        port = stack.enter_context(upstream())
        service = Service(tmp_path, policies, *tls)
        stack.callback(service.end)
        envoy = _Made(tmp_path, port, "service", *tls, *known, "--policies", str(policies))
        stack.callback(envoy.end)
        assert envoy.ask(target="/orders/7").status == 200
        assert envoy.ask(target="/files/hidden").problem["reason"] == "deny_rule"
