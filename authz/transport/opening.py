"""Open the server: choose a transport, join it with the service, and give it three steps: start, drain, stop.

`auto` takes the fast transport if it proves itself: a throw-away server of its kind on a loopback port (a read-only
container has no folder for a socket) must echo one call of a real gRPC client, its deadline and its metadata, and
stop. Whatever goes wrong there (an interface of grpcio that has changed, a call that hangs) is a warning and a
`fallback_reason` for the metrics, and `grpc.aio` serves.
"""

from __future__ import annotations

import logging
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

import grpc

from authz.errors import Unavailable
from authz.transport.address import read_addresses
from authz.transport.aio import AioServer
from authz.transport.health import Health
from authz.transport.options import Setup
from authz.transport.service import CHECK, Method

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from authz.transport.address import Address
    from authz.transport.options import Tls
    from authz.transport.service import Call, Service

PROOF_SECONDS = 5.0
"""How long the fast transport may take to answer its first call; it takes milliseconds."""

_PROOF = ("authz-proof", "1")
_log = logging.getLogger(__name__)


class TransportName(StrEnum):
    """The transports, and the choice between them."""

    AUTO = "auto"
    FAST = "fast"
    AIO = "aio"


class Transport(Protocol):
    """What serves: `FastServer` and `AioServer`, alike in all but speed."""

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Where it listens; ports are real once it has started."""

    @property
    def in_flight(self) -> int:
        """How many calls are not answered yet."""

    def start(self) -> None:
        """Bind every address and serve. Raises Unavailable."""

    def stop(self, grace: float) -> int:
        """Take no more calls, finish those in flight, cancel the rest after `grace` seconds; return how many."""


class Server:
    """The gRPC server. `transport` is what serves, `fallback_reason` why it is not the fast one though wanted."""

    def __init__(
        self, serving: Transport, health: Health, *, transport: TransportName, fallback_reason: str | None
    ) -> None:
        self._serving = serving
        self._health = health
        self.transport = transport
        self.fallback_reason = fallback_reason

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Where it listens; ports are real once it has started."""
        return self._serving.addresses

    @property
    def in_flight(self) -> int:
        """How many calls are not answered yet."""
        return self._serving.in_flight

    def start(self) -> None:
        """Bind every address and serve. Raises Unavailable."""
        self._serving.start()

    def drain(self) -> None:
        """Say NOT_SERVING to health probes from now on, and go on answering."""
        self._health.draining = True

    def stop(self, grace: float) -> int:
        """Take no more calls, finish those in flight, cancel the rest after `grace` seconds; return how many."""
        self.drain()
        return self._serving.stop(grace)


def open_server(  # noqa: PLR0913 - a server's own list
    service: Service,
    *,
    listen: Sequence[str],
    last_resort: bytes,
    transport: TransportName = TransportName.AUTO,
    tls: Tls | None = None,
    reuse_port: bool = False,
    max_in_flight: int = 1024,
    max_message_bytes: int = 4 * 1024**2,
    further: tuple[Method, ...] = (),
) -> Server:
    """Return a server that is ready to start.

    `last_resort` is a serialized `CheckResponse` that denies, for when the service can't say anything. `tls` applies to
    TCP addresses, `further` methods are served beside the checks. Raises SettingsFaults for addresses that are none.
    """
    health = Health(service.health)
    decide = Method(
        path=CHECK,
        check=service.check,
        refuse=service.refuse,
        last_resort=last_resort,
        max_message_bytes=max_message_bytes,
    )
    setup = Setup(
        methods=(decide, health.method(), *further),
        listen=read_addresses(listen),
        max_in_flight=max_in_flight,
        reuse_port=reuse_port,
        tls=tls,
    )
    name, build, fallback_reason = _choose(transport)
    return Server(build(setup), health, transport=name, fallback_reason=fallback_reason)


def _choose(wanted: TransportName) -> tuple[TransportName, Callable[[Setup], Transport], str | None]:
    if wanted is TransportName.AIO:
        return TransportName.AIO, AioServer, None
    try:
        fast = load_fast()
        prove(fast)
    except Exception as error:
        if wanted is TransportName.FAST:
            raise Unavailable(f"the fast transport does not work with this grpcio: {error}") from error
        reason = f"{type(error).__name__}: {error}"
        _log.warning(
            "the fast transport does not work with grpcio %s, serving with grpc.aio: %s", grpc.__version__, reason
        )
        return TransportName.AIO, AioServer, reason
    return TransportName.FAST, fast, None


def load_fast() -> Callable[[Setup], Transport]:
    """Import the fast transport; raises ImportError where grpcio has not what it takes."""
    from authz.transport.fast import FastServer  # noqa: PLC0415 - an import that may fail

    return FastServer


def prove(build: Callable[[Setup], Transport]) -> None:
    """Let a server made by `build` answer one call on a loopback port; raises whatever goes wrong."""
    echo = Method(path=CHECK, check=_echo, refuse=_refuse, last_resort=b"last resort", max_message_bytes=1024)
    server = build(Setup(methods=(echo,), listen=read_addresses(["127.0.0.1:0"]), max_in_flight=1))
    server.start()
    try:
        answer = _ask(server.addresses[0].target)
    finally:
        server.stop(PROOF_SECONDS)
    if answer != b"proof":
        raise Unavailable(f"it answered {answer!r}")


def _ask(target: str) -> bytes:
    with grpc.insecure_channel(target) as channel:
        answer: bytes = channel.unary_unary(CHECK)(b"proof", timeout=PROOF_SECONDS, metadata=(_PROOF,))
    return answer


def _echo(message: bytes, call: Call) -> None:
    whole = call.deadline is not None and _PROOF in call.metadata and not call.cancelled
    call.answer(message if whole else b"an incomplete call")


def _refuse(reason: object, call: Call) -> None:
    call.answer(f"refused: {reason}".encode())
