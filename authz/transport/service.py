"""The seam between gRPC and what answers: a service decides, a call carries bytes, a method joins the two.

Both transports are built on this module and hold its rules, each because of what Envoy does otherwise:

1. A call of a method that decides never ends in a gRPC error: `failure_mode_allow` would let the request through.
2. No answer is empty: the status code of an empty `CheckResponse` is 0, and 0 is an allow.
3. Whatever the service raises becomes a refusal; if that raises too, the method's last resort is sent.
4. The first answer counts; a later one, from whichever thread, is nothing.

Nothing here knows how gRPC is spoken.
"""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec

from authz.model import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CHECK = "/envoy.service.auth.v3.Authorization/Check"

_log = logging.getLogger(__name__)


class Rejection(NamedTuple):
    """A gRPC status instead of a message, for methods that decide nothing. `code` is a number of `google.rpc.Code`."""

    code: int
    details: str


class Call(Protocol):
    """One unary call. Answer it even when it was cancelled meanwhile: until then it counts as work in flight."""

    @property
    def deadline(self) -> float | None:
        """`time.monotonic()` seconds; `None` where the client set no `grpc-timeout`."""

    @property
    def metadata(self) -> Sequence[tuple[str, str | bytes]]:
        """What the client sent: names lower case, values of `-bin` names as bytes."""

    @property
    def cancelled(self) -> bool:
        """Whether the client is gone or its deadline passed; watched while a call waits for its answer."""

    def answer(self, response: bytes, /) -> None:
        """Send a serialized response; from any thread; only the first counts. After a cancel nothing leaves."""


class GrpcCall(Call, Protocol):
    """A call as the transport's own methods see it."""

    def reject(self, rejection: Rejection, /) -> None:
        """End the call with a gRPC status; an answer like any other, so only the first counts."""


class Service(Protocol):
    """What answers checks. Called on the thread that brought the bytes: it must not wait, but may answer later."""

    def check(self, message: bytes, call: Call, /) -> None:
        """Decide a serialized `CheckRequest`; the bytes are whatever the client sent."""

    def refuse(self, reason: Reason, call: Call, /) -> None:
        """Answer a call that is not decided."""

    def health(self, service: str, /) -> bool | None:
        """Say whether the service of that name serves; `None` for one that is not known."""


class Method(msgspec.Struct, frozen=True, kw_only=True):
    """One gRPC method: where its messages go, and what is answered when that goes wrong.

    `last_resort` is a serialized response that denies. A `bounded` method's calls count as work in flight and are
    refused above the bound; health's do not, or a busy server would look like a dead one.
    """

    path: str
    check: Callable[[bytes, GrpcCall], None]
    refuse: Callable[[Reason, GrpcCall], None]
    last_resort: bytes
    max_message_bytes: int
    bounded: bool = True


def check(method: Method, message: bytes | None, call: GrpcCall) -> None:
    """Hand a message to its method; `None` is a client that closed its half without one. Never raises."""
    try:
        if message is None:
            method.refuse(Reason.MALFORMED, call)
        elif len(message) > method.max_message_bytes:
            method.refuse(Reason.BODY_TOO_LARGE, call)
        else:
            method.check(message, call)
    except BaseException as error:  # noqa: BLE001 - rule 3; even SystemExit may not end the thread that serves all
        _report(method, error)
        refuse(method, Reason.INTERNAL_ERROR, call)


def refuse(method: Method, reason: Reason, call: GrpcCall) -> None:
    """Refuse a call, with the last resort if even that fails. Never raises."""
    try:
        method.refuse(reason, call)
    except BaseException as error:  # noqa: BLE001 - rule 3
        _report(method, error)
        call.answer(method.last_resort)


def _report(method: Method, error: BaseException) -> None:
    """Log what was raised and where, without its text: it may hold what a client sent."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    _log.error("%s: %s raised at %s:%s", method.path, type(error).__name__, frame.filename, frame.lineno)
