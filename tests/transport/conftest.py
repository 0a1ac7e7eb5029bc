"""A real server of either transport, a service that does as its messages say, and real gRPC clients."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import threading
import time
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import grpc
import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, StreamEnded, StreamReset
from h2.settings import SettingCodes

from authz.transport import Server, TransportName, open_server
from authz.transport.health import PATH as HEALTH
from authz.transport.service import CHECK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from authz.model import Reason
    from authz.transport import Call

LAST_RESORT = b"last resort"
PATIENCE = 10.0  # seconds until a test gives up on what it waits for
THREADS = {"authz-poll", "authz-write", "authz-aio"}


def eventually(holds: Callable[[], object]) -> None:
    """Wait until `holds()`; fail after PATIENCE."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it never came to hold"
        time.sleep(0.002)


class Desk:
    """A service. `wait...` leaves the call in `waiting`, `raise...` raises, anything else is answered with itself."""

    def __init__(self) -> None:
        self.waiting: SimpleQueue[Call] = SimpleQueue()
        self.refused: list[Reason] = []
        self.seen: list[dict[str, Any]] = []
        self.serving: dict[str, bool] = {"": True, "envoy.service.auth.v3.Authorization": True}
        self.refusing: Callable[[Reason, Call], None] = lambda reason, call: call.answer(b"refused " + reason.encode())
        self.checked = 0

    def check(self, message: bytes, call: Call) -> None:
        self.checked += 1
        if message.startswith(b"wait"):
            self.waiting.put(call)
        elif message.startswith(b"raise"):
            raise {b"raise": ValueError, b"raise exit": SystemExit}[message]("canary-secret")
        elif message.startswith(b"look"):
            self.seen.append({"deadline": call.deadline, "metadata": dict(call.metadata), "cancelled": call.cancelled})
            call.answer(b"seen")
        elif message.startswith(b"empty"):
            call.answer(b"")
        else:
            call.answer(b"answer to " + message)

    def refuse(self, reason: Reason, call: Call) -> None:
        self.refused.append(reason)
        self.refusing(reason, call)

    def health(self, service: str) -> bool | None:
        return self.serving.get(service)


class Client:
    """A channel to one address."""

    def __init__(self, channel: grpc.Channel) -> None:
        self.channel = channel
        self.check = channel.unary_unary(CHECK)
        self.stream = channel.stream_unary(CHECK)
        self._health = channel.unary_unary(HEALTH)

    def health(self, service: str = "") -> bytes:
        """Return the health service's answer."""
        return self._health(b"\n" + bytes((len(service),)) + service.encode(), timeout=PATIENCE)


class Peer:
    """An HTTP/2 connection to a Unix socket that does what no gRPC client does. What was answered is by stream."""

    def __init__(self, path: Path, *, window: int = 65_535) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(PATIENCE)
        self._socket.connect(str(path))
        self._h2 = H2Connection(H2Configuration(header_encoding="utf-8"))
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(2**31 - 65_536)
        self._h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: window})
        self.answers: dict[int, bytes] = {}
        self.ended: set[int] = set()
        self.reset: set[int] = set()
        self.send()
        self.until(lambda: self._h2.remote_settings.max_concurrent_streams < 2**31)

    def announce(self) -> int:
        """Begin a call with its headers, and return its stream."""
        stream = self._h2.get_next_available_stream_id()
        names = {":method": "POST", ":scheme": "http", ":path": CHECK, ":authority": "peer", "te": "trailers"}
        self._h2.send_headers(stream, [*names.items(), ("content-type", "application/grpc")])
        return stream

    def say(self, stream: int, part: bytes, *, last: bool = False) -> None:
        """Send a part of a call's message."""
        self._h2.send_data(stream, part, end_stream=last)

    def send(self) -> None:
        """Write what was begun."""
        self._socket.sendall(self._h2.data_to_send())

    def until(self, holds: Callable[[], object]) -> None:
        """Read until `holds()`."""
        while not holds():
            for event in self._h2.receive_data(self._socket.recv(65_536)):
                match event:
                    case DataReceived():
                        self.answers[event.stream_id] = self.answers.get(event.stream_id, b"") + event.data
                    case StreamEnded():
                        self.ended.add(event.stream_id)
                    case StreamReset():
                        self.reset.add(event.stream_id)
            self.send()

    def close(self) -> None:
        """Leave."""
        self._socket.close()


@pytest.fixture
def peer() -> Iterator[Callable[..., Peer]]:
    """Return a function that connects to a server's socket."""
    peers = []

    def connect(server: Server, **options: Any) -> Peer:
        peers.append(Peer(server.addresses[0].path, **options))
        return peers[-1]

    yield connect
    for each in peers:
        each.close()


@pytest.fixture
def desk() -> Desk:
    """Return the service."""
    return Desk()


@pytest.fixture(params=[TransportName.FAST, TransportName.AIO])
def transport(request: pytest.FixtureRequest) -> TransportName:
    """Each transport in turn."""
    return request.param


@pytest.fixture
def serve(transport: TransportName, desk: Desk, tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Return a function that starts a server, on a Unix socket unless told otherwise; it is stopped at the end."""
    servers = []
    before = {thread for thread in threading.enumerate() if thread.name in THREADS}

    def start(listen: list[str] | None = None, service: object = None, **settings: Any) -> Server:
        addresses = listen or [f"unix:{tmp_path}/s"]
        server = open_server(
            service or desk, listen=addresses, last_resort=LAST_RESORT, **{"transport": transport} | settings
        )
        server.start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.stop(0)
    after = {thread for thread in threading.enumerate() if thread.name in THREADS}
    assert after <= before, "a stopped server has left threads"


@pytest.fixture
def connect() -> Iterator[Callable[..., Client]]:
    """Return a function that opens a client of a server, with a connection of its own."""
    channels = []

    def open_channel(server: Server, *, credentials: grpc.ChannelCredentials | None = None, **options: Any) -> Client:
        target = server.addresses[0].target
        arguments = (("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", -1))
        if credentials is None:
            channel = grpc.insecure_channel(target, options=arguments, **options)
        else:
            channel = grpc.secure_channel(target, credentials, options=arguments, **options)
        channels.append(channel)
        return Client(channel)

    yield open_channel
    for channel in channels:
        channel.close()


@pytest.fixture
def client(serve: Callable[..., Server], connect: Callable[..., Client]) -> Client:
    """Return a client of a server with default settings."""
    return connect(serve())


class Certificates(msgspec.Struct):
    """PEM files of one authority: its own certificate, and a server's and a client's with their keys."""

    authority: Path
    server: Path
    server_key: Path
    client: Path
    client_key: Path


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Return certificates made for this run."""
    folder = tmp_path_factory.mktemp("certificates")
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _certificate("authority", authority_key, "authority", authority_key)
    paths = [_write(folder / "authority.pem", authority.public_bytes(serialization.Encoding.PEM))]
    for name in ("server", "client"):
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate(name, key, "authority", authority_key)
        paths.append(_write(folder / f"{name}.pem", certificate.public_bytes(serialization.Encoding.PEM)))
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        paths.append(_write(folder / f"{name}.key", private))
    return Certificates(*paths)


def _certificate(
    subject: str, key: ec.EllipticCurvePrivateKey, issuer: str, issuer_key: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().public_key(key.public_key()).serial_number(x509.random_serial_number())
    builder = builder.subject_name(_name(subject)).issuer_name(_name(issuer))
    builder = builder.not_valid_before(now - datetime.timedelta(hours=1))
    builder = builder.not_valid_after(now + datetime.timedelta(hours=1))
    builder = builder.add_extension(x509.BasicConstraints(ca=subject == issuer, path_length=None), critical=True)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
