"""What gRPC is told: channel arguments, TLS and mutual TLS."""

from __future__ import annotations

import os
import resource
from typing import Any

import grpc
import pytest

from authz.errors import Unavailable
from authz.transport import Tls
from authz.transport.address import read_addresses
from authz.transport.options import Setup

PATIENCE = 10.0


def _setup(**given: Any) -> Setup:
    return Setup(methods=(), listen=(), **given)


def test_the_channel_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every argument that a threat rests on is set (G4, B4): a change here is a decision, not an accident."""
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (1024, 4096))
    assert dict(_setup(max_in_flight=1024).options()) == {
        "grpc.so_reuseport": 0,
        "grpc.max_receive_message_length": -1,
        "grpc.max_send_message_length": -1,
        "grpc.max_metadata_size": 262144,
        "grpc.absolute_max_metadata_size": 262144,
        "grpc.max_concurrent_streams": 2048,
        "grpc.server.max_pending_requests": 2147483647,
        "grpc.server.max_pending_requests_hard_limit": 2147483647,
        "grpc.keepalive_permit_without_calls": 1,
        "grpc.http2.max_ping_strikes": 0,
        "grpc.keepalive_time_ms": 60000,
        "grpc.keepalive_timeout_ms": 20000,
        "grpc.server_handshake_timeout_ms": 10000,
        "grpc.max_allowed_incoming_connections": 768,
    }


@pytest.mark.parametrize(("max_in_flight", "streams"), [(1, 100), (50, 100), (51, 102), (2**30, 2**31 - 1)])
def test_streams_follow_the_bound_on_work(max_in_flight: int, streams: int) -> None:
    """A client may have twice as many streams as are decided at once, and at least a hundred."""
    options = dict(_setup(reuse_port=True, max_in_flight=max_in_flight).options())
    assert options["grpc.max_concurrent_streams"] == streams
    assert options["grpc.so_reuseport"] == 1


@pytest.mark.parametrize(("files", "places", "connections"), [(1024, 2, 384), (1, 1, 1), (-1, 1, 2**31 - 1)])
def test_connections_leave_files_for_others(
    files: int, places: int, connections: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """G13: all places together have three quarters of the files that may be open; Redis and policies need some too."""
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (files, files))
    listen = read_addresses([f"127.0.0.1:{9000 + i}" for i in range(places)])
    options = dict(Setup(methods=(), listen=listen, max_in_flight=1).options())
    assert options["grpc.max_allowed_incoming_connections"] == connections


def _credentials(certificates: Any, *, client: bool) -> grpc.ChannelCredentials:
    authority = certificates.authority.read_bytes()
    if not client:
        return grpc.ssl_channel_credentials(authority)
    key, chain = certificates.client_key.read_bytes(), certificates.client.read_bytes()
    return grpc.ssl_channel_credentials(authority, key, chain)


def test_tls(serve: Any, connect: Any, certificates: Any) -> None:
    """With a certificate TCP speaks TLS, and nothing else."""
    server = serve(["127.0.0.1:0"], tls=Tls(certificate=certificates.server, key=certificates.server_key))
    client = connect(server, credentials=_credentials(certificates, client=False))
    assert client.check(b"x", timeout=PATIENCE) == b"answer to x"
    with pytest.raises(grpc.RpcError) as raised:
        connect(server).check(b"x", timeout=PATIENCE)
    assert raised.value.code() is grpc.StatusCode.UNAVAILABLE


def test_mutual_tls(serve: Any, connect: Any, certificates: Any) -> None:
    """With a client authority a caller must show a certificate it signed."""
    tls = Tls(certificate=certificates.server, key=certificates.server_key, client_ca=certificates.authority)
    server = serve(["127.0.0.1:0"], tls=tls)
    known = connect(server, credentials=_credentials(certificates, client=True))
    assert known.check(b"x", timeout=PATIENCE) == b"answer to x"
    with pytest.raises(grpc.RpcError) as raised:
        connect(server, credentials=_credentials(certificates, client=False)).check(b"x", timeout=PATIENCE)
    assert raised.value.code() is grpc.StatusCode.UNAVAILABLE


def test_unix_sockets_carry_no_tls(serve: Any, connect: Any, certificates: Any) -> None:
    """TLS is for TCP; a socket's guard is its mode."""
    server = serve(tls=Tls(certificate=certificates.server, key=certificates.server_key))
    assert connect(server).check(b"x", timeout=PATIENCE) == b"answer to x"


def test_unusable_files_are_named(certificates: Any, tmp_path: Any) -> None:
    """A file that is missing, no PEM, or not the certificate's key is an error at start, not a failed handshake."""
    garbage = tmp_path / "garbage.pem"
    garbage.write_text("no PEM")
    good = {"certificate": certificates.server, "key": certificates.server_key, "client_ca": certificates.authority}
    for name, path in [("certificate", garbage), ("key", tmp_path / "none"), ("client_ca", garbage)]:
        with pytest.raises(Unavailable, match=path.name):
            Tls(**good | {name: path}).credentials()
    os.mkfifo(pipe := tmp_path / "pipe.pem")
    for name in good:
        with pytest.raises(Unavailable, match=r"pipe\.pem: it is no regular file"):
            Tls(**good | {name: pipe}).credentials()
    with pytest.raises(Unavailable, match="mismatch"):
        Tls(**good | {"key": certificates.client_key}).credentials()


def test_an_encrypted_key_is_an_error(certificates: Any, tmp_path: Any) -> None:
    """Nobody is asked for a password."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - only here

    key = serialization.load_pem_private_key(certificates.server_key.read_bytes(), None)
    encrypted = tmp_path / "encrypted.key"
    encrypted.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"pw")
        )
    )
    with pytest.raises(Unavailable, match="encrypted"):
        Tls(certificate=certificates.server, key=encrypted).credentials()


def test_a_start_without_usable_tls_leaves_nothing(serve: Any, certificates: Any) -> None:
    """A server whose TLS files are bad does not start, in clear text least of all."""
    with pytest.raises(Unavailable):
        serve(["127.0.0.1:0"], tls=Tls(certificate=certificates.server, key=certificates.client_key))
