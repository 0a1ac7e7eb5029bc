"""What `authz envoy` makes carries requests: two workers, each on its socket, and bodies only where they are read."""

from __future__ import annotations

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
    """An Envoy with what `authz envoy --bootstrap` makes of the settings of the service."""

    def _configuration(self, service: Path, upstream: int) -> dict[str, Any]:
        command = [sys.executable, "-m", "authz", "envoy", "--bootstrap", "sidecar"]
        command += ["--listen-port", str(self.port), "--admin-port", str(self.admin)]
        command += ["--upstream", f"127.0.0.1:{upstream}", "--workers", str(WORKERS)]
        command += ["--listen", f"unix://{service}", "--policies", str(service.with_name("policies.yaml"))]
        made: dict[str, Any] = yaml.safe_load(subprocess.run(command, capture_output=True, check=True).stdout)
        return made

    def _is_up(self) -> bool:
        """Whether it listens, and both workers are asked."""
        try:
            return self.stat("listener_manager.workers_started") == 1 and self._healthy() == WORKERS
        except OSError:
            assert self._process.poll() is None, self.log_file.read_text()
            return False

    def _healthy(self) -> int:
        return self.stat("cluster.authz.membership_healthy")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """Return service, Envoy and upstream together."""
    folder = tmp_path_factory.mktemp("made")
    policies = folder / "policies.yaml"
    policies.write_text(POLICIES)
    with ExitStack() as stack:
        port = stack.enter_context(upstream())
        service = _Workers(folder, policies, "--workers", str(WORKERS))
        stack.callback(service.process.wait)
        stack.callback(service.process.terminate)
        envoy = _Made(folder, service.socket, port)
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
