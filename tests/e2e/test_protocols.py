"""Each kind of request, with bodies shown to the service and without: what the caller gets, what the upstream sees.

HTTP/1.1, HTTP/2, gRPC with one message and with many, WebSocket over both, CONNECT over both.
"""

from __future__ import annotations

import json
import queue
import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import grpc
import msgspec
import pytest
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet

from tests.e2e.conftest import Edge, filter_of, manager_of, running
from tests.e2e.upstreams import Behind, Http2, grpc_server, switching_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

POLICIES = """\
apiVersion: authz/v1
kind: Policy
metadata: {name: kinds}
spec:
  match: [{paths: ["/**"]}]
  descriptors: orders.pb
  rules:
    - name: plain
      allow: '!request.is_upgrade && !request.path.startsWith("/denied") && !request.path.startsWith("/bought")'
      request_headers: {set: {x-decided-path: "${request.path}"}}
      response_headers: {set: {x-protocol: "${request.protocol}", x-body: "${request.body_state}"}}
    - name: cheap
      allow: request.path == "/bought.Orders/Get" && request.grpc_message.amount < 100
    - name: sockets
      allow: request.is_upgrade && request.path == "/socket"
      request_headers: {set: {x-decided-path: "${request.path}"}, remove: [x-secret]}
"""

SOCKET = {
    "connection": "Upgrade",
    "upgrade": "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
}


class Kinds(msgspec.Struct, frozen=True):
    """Envoy and the service, and what stands behind them for each kind of request."""

    edge: Edge
    orders: Behind
    sockets: Behind
    tunnel: Behind
    buffered: bool


def cluster(name: str, port: int, *, http2: bool = False) -> dict[str, Any]:
    """Return a cluster of one server."""
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
    made = {"name": name, "type": "STATIC", "load_assignment": {"cluster_name": name, "endpoints": endpoints}}
    if http2:
        options = {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": {"http2_protocol_options": {}},
        }
        made["typed_extension_protocol_options"] = {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options}
    return made


def serve_kinds(configuration: dict[str, Any], orders: Behind, sockets: Behind, tunnel: Behind) -> None:
    """Have Envoy take upgrades and CONNECT, and send each kind of request to its server."""
    manager = manager_of(configuration)
    manager["upgrade_configs"] = [{"upgrade_type": "websocket"}, {"upgrade_type": "CONNECT"}]
    manager["http2_protocol_options"] = {"allow_connect": True}
    tunnelled = {"cluster": "tunnel", "upgrade_configs": [{"upgrade_type": "CONNECT", "connect_config": {}}]}
    manager["route_config"]["virtual_hosts"][0]["routes"][:0] = [
        {"match": {"connect_matcher": {}}, "route": tunnelled},
        {"match": {"prefix": "/shop.Orders/"}, "route": {"cluster": "orders", "timeout": "0s"}},
        {"match": {"prefix": "/bought.Orders/"}, "route": {"cluster": "orders", "timeout": "0s"}},
        {"match": {"prefix": "/socket"}, "route": {"cluster": "sockets"}},
    ]
    configuration["static_resources"]["clusters"] += [
        cluster("orders", orders.port, http2=True),
        cluster("sockets", sockets.port),
        cluster("tunnel", tunnel.port),
    ]


@pytest.fixture(scope="module", params=[True, False], ids=["buffered", "unbuffered"])
def kinds(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kinds]:
    """Return all of them, with bodies as they ship and without."""
    folder: Path = tmp_path_factory.mktemp("kinds")
    (folder / "policies").mkdir()
    (folder / "policies" / "kinds.yaml").write_text(POLICIES)
    (folder / "policies" / "orders.pb").write_bytes(descriptors())
    with ExitStack() as stack:
        orders = stack.enter_context(grpc_server())
        sockets, tunnel = (stack.enter_context(switching_server()) for _ in range(2))

        def change(configuration: dict[str, Any]) -> None:
            serve_kinds(configuration, orders, sockets, tunnel)
            if not request.param:
                del filter_of(configuration)["with_request_body"]

        edge = stack.enter_context(running(folder, policies=folder / "policies", change=change))
        yield Kinds(edge, orders, sockets, tunnel, request.param)


def descriptors() -> bytes:
    """Return what describes `bought.Orders/Get`: a message whose first field is `amount`."""
    file = FileDescriptorProto(name="bought.proto", package="bought", syntax="proto3")
    file.message_type.add(name="Order").field.add(name="amount", number=1, type=FieldDescriptorProto.TYPE_INT64)
    file.service.add(name="Orders").method.add(name="Get", input_type=".bought.Order", output_type=".bought.Order")
    return FileDescriptorSet(file=[file]).SerializeToString()


def fields(method: str, path: str, **more: str) -> list[tuple[str, str]]:
    """Return the fields of an HTTP/2 request."""
    pseudo = [(":method", method), (":scheme", "http"), (":path", path), (":authority", "shop.example.com")]
    return [*pseudo, *((name.replace("_", "-"), value) for name, value in more.items())]


@pytest.mark.parametrize("body", [b"", b"{}"])
def test_http_1(body: bytes, kinds: Kinds) -> None:
    """Allowed with what the rule adds, denied with the id; a body is shown or known not to be."""
    answer = kinds.edge.ask("POST" if body else "GET", "/a", body=body)
    assert answer.seen["headers"]["x-decided-path"] == "/a"
    assert answer["x-protocol"] == "HTTP/1.1"
    assert answer["x-body"] == (("complete" if kinds.buffered else "unavailable") if body else "absent")
    assert kinds.edge.ask("POST", "/denied", body=body).problem["reason"] == "no_rule"


@pytest.mark.parametrize("body", [b"", b"{}"])
def test_http_2(body: bytes, kinds: Kinds) -> None:
    """The same, over HTTP/2."""
    with Http2(kinds.edge.envoy.port) as caller:
        for path in ("/a", "/denied"):
            length = {"content_length": str(len(body))} if body else {}
            stream = caller.open(fields("POST" if body else "GET", path, **length), end=not body)
            if body:
                caller.send(stream, body, end=True)
            said, content = caller.receive()
            if path == "/a":
                assert json.loads(content)["headers"]["x-decided-path"] == "/a"
                assert (said[":status"], said["x-protocol"]) == ("200", "HTTP/2")
            else:
                assert (said[":status"], json.loads(content)["reason"]) == ("403", "no_rule")
                assert said["x-authz-decision-id"]


def test_grpc_with_one_message(kinds: Kinds) -> None:
    """The message arrives as it was, with what the rule adds; a denial is a gRPC status and goes nowhere."""
    with grpc.insecure_channel(f"127.0.0.1:{kinds.edge.envoy.port}") as channel:
        assert channel.unary_unary("/shop.Orders/Get")(b"seven", timeout=10) == b"seven"
        assert kinds.orders.seen[-1] == "/shop.Orders/Get /shop.Orders/Get"
        seen = len(kinds.orders.seen)
        with pytest.raises(grpc.RpcError) as failed:
            channel.unary_unary("/denied.Orders/Get")(b"seven", timeout=10)
    assert (failed.value.code(), failed.value.details()) == (grpc.StatusCode.PERMISSION_DENIED, "no_rule")
    assert len(kinds.orders.seen) == seen


@pytest.mark.parametrize(("message", "allowed"), [(b"\x08\x63", True), (b"\x08\x64", False), (b"\xff", False)])
def test_a_rule_reads_the_message_of_a_grpc_call(message: bytes, allowed: bool, kinds: Kinds) -> None:
    """Row B10: by its descriptor where it is shown, and not at all where it is not; it arrives as it was."""
    with grpc.insecure_channel(f"127.0.0.1:{kinds.edge.envoy.port}") as channel:
        call = channel.unary_unary("/bought.Orders/Get")
        if allowed and kinds.buffered:
            assert call(message, timeout=10) == message
        else:
            with pytest.raises(grpc.RpcError) as failed:
                call(message, timeout=10)
            assert failed.value.code() is grpc.StatusCode.PERMISSION_DENIED


def test_grpc_with_many_messages(kinds: Kinds) -> None:
    """Row B11: messages flow one by one where bodies are not buffered; where they are, such a call is never decided."""
    messages: queue.Queue[bytes | None] = queue.Queue()
    seen = len(kinds.orders.seen)
    with grpc.insecure_channel(f"127.0.0.1:{kinds.edge.envoy.port}") as channel:
        call = channel.stream_stream("/shop.Orders/Watch")(
            iter(messages.get, None), timeout=2 if kinds.buffered else 10
        )
        messages.put(b"one")
        if kinds.buffered:
            with pytest.raises(grpc.RpcError) as failed:
                next(call)
            assert failed.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
            assert len(kinds.orders.seen) == seen
        else:
            assert next(call) == b"one"
            messages.put(b"two")
            assert next(call) == b"two"
        messages.put(None)


def test_a_grpc_stream_that_ends_by_itself_passes_a_buffer(kinds: Kinds) -> None:
    """Row B11: a caller that sends all it has first is decided on when it has, and gets everything back."""
    with grpc.insecure_channel(f"127.0.0.1:{kinds.edge.envoy.port}") as channel:
        sent = [b"one", b"two", b"three"]
        assert list(channel.stream_stream("/shop.Orders/Watch")(iter(sent), timeout=10)) == sent


def upgraded(kinds: Kinds, target: str) -> tuple[bytes, socket.socket]:
    """Ask for a WebSocket over HTTP/1.1; return the head of the answer and the connection."""
    connection = socket.create_connection(("127.0.0.1", kinds.edge.envoy.port), timeout=20)
    head = "".join(f"{name}: {value}\r\n" for name, value in (SOCKET | {"host": "a", "x-secret": "s"}).items())
    connection.sendall(f"GET {target} HTTP/1.1\r\n{head}\r\n".encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += connection.recv(65536)
    return answer, connection


def test_a_websocket(kinds: Kinds) -> None:
    """Rows B11 and B12: decided at the handshake, known as an upgrade; then bytes flow both ways, buffered or not."""
    answer, connection = upgraded(kinds, "/socket")
    with connection:
        assert answer.startswith(b"HTTP/1.1 101 ")
        for message in (b"one", b"two"):
            connection.sendall(message)
            assert connection.recv(100) == message
    head = kinds.sockets.seen[-1].lower()
    assert "x-decided-path: /socket" in head
    assert "x-secret" not in head


def test_a_websocket_that_nobody_let_in(kinds: Kinds) -> None:
    """Row B12: a rule that is not about upgrades lets none in, and the connection stays HTTP."""
    seen = len(kinds.sockets.seen)
    answer, connection = upgraded(kinds, "/socket/other")
    connection.close()
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert len(kinds.sockets.seen) == seen


def test_a_websocket_over_http_2(kinds: Kinds) -> None:
    """Row B12: the extended CONNECT (RFC 8441) is an upgrade to rules, as over HTTP/1.1."""
    for path, status in (("/socket", "200"), ("/socket/other", "403")):
        with Http2(kinds.edge.envoy.port) as caller:
            asked = [(":protocol", "websocket"), *fields("CONNECT", path, sec_websocket_version="13")]
            stream = caller.open(asked, end=False)
            said, _ = caller.receive(whole=False)
            assert said[":status"] == status
            if status == "200":
                caller.send(stream, b"one")
                assert caller.receive(until=3, whole=False)[1] == b"one"


def test_connect_goes_nowhere(kinds: Kinds) -> None:
    """A tunnel has no path that a policy could be about: it is refused, whatever rules say, and nothing is opened.

    Where bodies are buffered, Envoy waits for one first: the caller gets no answer at all (row B11).
    """
    with socket.create_connection(("127.0.0.1", kinds.edge.envoy.port), timeout=20) as connection:
        connection.sendall(b"CONNECT shop.example.com:443 HTTP/1.1\r\nhost: shop.example.com:443\r\n\r\n")
        if not kinds.buffered:
            assert connection.recv(65536).startswith(b"HTTP/1.1 400 ")
        with Http2(kinds.edge.envoy.port) as caller:
            stream = caller.open([(":method", "CONNECT"), (":authority", "shop.example.com:443")], end=False)
            if kinds.buffered:
                caller.send(stream, b"", end=True)
            assert caller.receive(whole=False)[0][":status"] == "400"
    assert kinds.tunnel.seen == []


def test_each_request_is_decided_once(kinds: Kinds) -> None:
    """Row B11: however it travels, one request is one decision on record."""
    identifiers = set()
    for path in ("/denied/once", "/denied/twice"):
        with Http2(kinds.edge.envoy.port) as caller:
            stream = caller.open(fields("POST", path), end=False)
            caller.send(stream, b"{}", end=True)
            identifiers.add(caller.receive()[0]["x-authz-decision-id"])
    for identifier in identifiers:
        kinds.edge.service.record(identifier)
    asked = {one: record["request"] for one, record in kinds.edge.service.records().items() if record.get("request")}
    assert {
        one for one, request in asked.items() if request["path"] in {"/denied/once", "/denied/twice"}
    } == identifiers
