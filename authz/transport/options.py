"""What both transports are set up with: methods, addresses, bounds, TLS, and gRPC's channel arguments with reasons.

The names are gRPC's (`grpc/impl/channel_arg_names.h`); the two of pending requests are not in that header but read by
its server (`src/core/server/server.cc`).
"""

from __future__ import annotations

import resource
import ssl
from typing import TYPE_CHECKING

import grpc
import msgspec

from authz.errors import Unavailable

if TYPE_CHECKING:
    from pathlib import Path

    from authz.transport.address import Address
    from authz.transport.service import Method

UNLIMITED = -1
LARGEST = 2**31 - 1
FEWEST_STREAMS = 100  # RFC 9113, section 6.5.2
METADATA_BYTES = 256 * 1024
"""Bound on a call's metadata. A client of Envoy can fill `tracestate` up to Envoy's own bound on headers (60 KiB
unless raised): what Envoy lets through must not become a gRPC error here."""

HANDSHAKE_MS = 10_000
"""Time that TLS and the first settings may take; gRPC's own two minutes are a file kept open for nothing."""


class Tls(msgspec.Struct, frozen=True, kw_only=True):
    """TLS of the TCP addresses: PEM files. With `client_ca` a client must show a certificate signed by one of those.

    Versions and ciphers are gRPC's: TLS 1.2 and 1.3, AEAD with forward secrecy.
    """

    certificate: Path
    key: Path
    client_ca: Path | None = None

    def credentials(self) -> grpc.ServerCredentials:
        """Read the files; raises Unavailable with the file at fault, where gRPC would only fail every handshake."""
        for path in filter(None, (self.certificate, self.key, self.client_ca)):
            if path.exists() and not path.is_file():
                raise Unavailable(f"can't use {path}: it is no regular file")  # a pipe would be waited for
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(self.certificate, self.key, password=_no_password)
        except (OSError, ValueError) as error:
            raise Unavailable(f"can't use {self.certificate} with {self.key}: {_cause(error)}") from error
        return grpc.ssl_server_credentials(
            ((self.key.read_bytes(), self.certificate.read_bytes()),),
            self._authorities(context),
            require_client_auth=self.client_ca is not None,
        )

    def _authorities(self, context: ssl.SSLContext) -> bytes | None:
        if self.client_ca is None:
            return None
        try:
            context.load_verify_locations(self.client_ca)
            return self.client_ca.read_bytes()
        except OSError as error:
            raise Unavailable(f"can't use {self.client_ca}: {_cause(error)}") from error


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """What a transport serves, where, and within which bounds; `reuse_port` is for workers that share their ports."""

    methods: tuple[Method, ...]
    listen: tuple[Address, ...]
    max_in_flight: int
    reuse_port: bool = False
    tls: Tls | None = None

    def prepare(self) -> grpc.ServerCredentials | None:
        """Make the addresses free to bind, as far as they are, and read the TLS files. Raises Unavailable."""
        for address in self.listen:
            address.prepare(reuse_port=self.reuse_port)
        return self.tls.credentials() if self.tls else None

    def options(self) -> tuple[tuple[str, int], ...]:
        """Return the channel arguments."""
        return (
            # On by default, and then a second server on the same port silently takes half of the calls.
            ("grpc.so_reuseport", int(self.reuse_port)),
            # gRPC's own answer to a large message is RESOURCE_EXHAUSTED, with which `failure_mode_allow` lets a request
            # in; ours is a denial (service.check). A bound would also cost every call a filter, and that 2 us.
            ("grpc.max_receive_message_length", UNLIMITED),
            ("grpc.max_send_message_length", UNLIMITED),
            # Soft and hard bound alike: between them gRPC refuses at random.
            ("grpc.max_metadata_size", METADATA_BYTES),
            ("grpc.absolute_max_metadata_size", METADATA_BYTES),
            # Twice what is decided at once: a client hears of overload in our words before its streams are refused.
            ("grpc.max_concurrent_streams", min(LARGEST, max(FEWEST_STREAMS, 2 * self.max_in_flight))),
            # Calls that wait to be taken are refused by gRPC above 1000, at random; the bound on streams is ours.
            ("grpc.server.max_pending_requests", LARGEST),
            ("grpc.server.max_pending_requests_hard_limit", LARGEST),
            # Envoy's `connection_keepalive` pings idle connections as often as its operator likes; gRPC answers the
            # third within five minutes with GOAWAY, ENHANCE_YOUR_CALM.
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.max_ping_strikes", 0),
            # A peer that vanished without a FIN frees its calls in a minute and not after two hours.
            ("grpc.keepalive_time_ms", 60_000),
            ("grpc.keepalive_timeout_ms", 20_000),
            ("grpc.server_handshake_timeout_ms", HANDSHAKE_MS),
            # Without files left, nothing connects any more: no Redis, no policies, no Envoy. Those that are
            # connected stay.
            ("grpc.max_allowed_incoming_connections", _connections(len(self.listen))),
        )


def _connections(places: int) -> int:
    """Return how many connections each place may have: together three quarters of the files this process may open."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return LARGEST if files == resource.RLIM_INFINITY else max(1, min(LARGEST, files * 3 // 4 // max(1, places)))


def _no_password() -> str:
    """Stand in for OpenSSL's prompt on the terminal."""
    raise ValueError("the key is encrypted")


def _cause(error: OSError | ValueError) -> str:
    """Say why in lower case; SSLError is an OSError whose text begins with where in OpenSSL it happened."""
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
    return str(reason).replace("_", " ").lower()
