"""The real service in a process of its own, asked over gRPC."""

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from authz._pb.envoy.service.auth.v3.external_auth_pb2 import CheckResponse
from authz._pb.grpc.health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from authz.cli.request import Asked, message

POLICY = """\
apiVersion: authz/v1
kind: Policy
metadata: {name: all}
spec:
  match: [{paths: ["/**"]}]
  rules: [{name: r, allow: 'request.method == "GET"', response_headers: {set: {x-all: "1"}}}]
"""


class Service:
    """`authz serve` with a Unix socket and an admin port of its own; its log can be waited for."""

    def __init__(self, folder: Path, *flags: str, policies: Path, environment: dict[str, str]) -> None:
        self.socket = folder / "authz.sock"
        command = [sys.executable, "-m", "authz", "serve", "--policies", str(policies), *flags]
        command += [] if "--listen" in flags else ["--listen", f"unix://{self.socket}"]
        command += [] if "--admin" in flags else ["--admin", "127.0.0.1:0"]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment}
        )
        self.log: list[dict[str, Any]] = []
        self.records: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._said = threading.Condition()
        self._threads = [threading.Thread(target=self._follow), threading.Thread(target=self._record)]
        for thread in self._threads:
            thread.start()

    def _follow(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._said:
                self.log.append(json.loads(line) if line.startswith("{") else {"message": line.rstrip("\n")})
                self._said.notify_all()

    def _record(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.records.put(json.loads(line))

    def wait(self, message: str, number: int = 1) -> dict[str, Any]:
        """Wait until the log has said this so many times, and return the last."""
        with self._said:
            assert self._said.wait_for(lambda: len(self._found(message)) >= number, timeout=30), self.log
            return self._found(message)[number - 1]

    def _found(self, message: str) -> list[dict[str, Any]]:
        return [line for line in self.log if line["message"].startswith(message)]

    def end(self) -> int:
        """Wait for the process to end and return its exit code."""
        status = self.process.wait(30)
        for thread in self._threads:
            thread.join(30)
        return status

    def channel(self, socket: Path | None = None) -> grpc.Channel:
        """Connect."""
        return grpc.insecure_channel(f"unix:{socket or self.socket}")

    def check(self, method: str = "GET", path: str = "/x", *, socket: Path | None = None) -> CheckResponse:
        """Ask for one decision over a connection of its own."""
        with self.channel(socket) as channel:
            return self.ask(channel, method, path)

    def ask(self, channel: grpc.Channel, method: str = "GET", path: str = "/x") -> CheckResponse:
        """Ask for one decision over a connection."""
        asked = message(Asked(method=method, url=path, time=time.time()))
        call = channel.unary_unary(
            "/envoy.service.auth.v3.Authorization/Check", response_deserializer=CheckResponse.FromString
        )
        response: CheckResponse = call(asked, timeout=10, wait_for_ready=True)
        return response

    def health(self, service: str = "") -> int:
        """Ask for health."""
        with self.channel() as channel:
            call = channel.unary_unary(
                "/grpc.health.v1.Health/Check", HealthCheckRequest.SerializeToString, HealthCheckResponse.FromString
            )
            return int(call(HealthCheckRequest(service=service), timeout=10, wait_for_ready=True).status)


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    """Make a folder with one policy."""
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "all.yaml").write_text(POLICY)
    return folder


@pytest.fixture
def serve(tmp_path: Path, policies: Path) -> Iterator[Callable[..., Service]]:
    """Start `authz serve` with these flags; what still runs at the end is killed."""
    started: list[Service] = []

    def start(*flags: str, **environment: str) -> Service:
        started.append(Service(tmp_path, *flags, policies=policies, environment=environment))
        return started[-1]

    yield start
    for service in started:
        service.process.kill()
        service.end()
        for stream in (service.process.stdout, service.process.stderr):
            assert stream is not None
            stream.close()


@pytest.fixture
def until() -> Callable[[Callable[[], object]], None]:
    """Look again and again until something holds that another thread brings about."""

    def look(holds: Callable[[], object]) -> None:
        deadline, pause = time.monotonic() + 20, threading.Event()
        while not holds():
            assert time.monotonic() < deadline, "it never came to hold"
            pause.wait(0.01)

    return look
