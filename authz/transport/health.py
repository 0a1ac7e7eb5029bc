"""The health service, `grpc.health.v1`, for Envoy's and Kubernetes' probes; shared by both transports.

Draining is said here: every service we know is NOT_SERVING while checks are still answered, so that balancers turn
away before the listeners close. In doubt the answer is NOT_SERVING. `Watch` is not offered (gRPC's UNIMPLEMENTED, which
clients of that protocol take for "no health service, use it"): nobody who asks us uses it, and every watcher would
be a stream that keeps the drain from ending.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError

from authz._pb.grpc.health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from authz.transport.service import Method, Rejection

if TYPE_CHECKING:
    from collections.abc import Callable

    from authz.model import Reason
    from authz.transport.service import GrpcCall

PATH = "/grpc.health.v1.Health/Check"
SERVING = HealthCheckResponse(status=HealthCheckResponse.SERVING).SerializeToString()
NOT_SERVING = HealthCheckResponse(status=HealthCheckResponse.NOT_SERVING).SerializeToString()
UNKNOWN_SERVICE = Rejection(5, "unknown service")  # NOT_FOUND, as health.proto asks for
MAX_MESSAGE_BYTES = 1024  # a service's name


class Health:
    """Answers probes from what `serves` says of a service's name, until `draining`."""

    def __init__(self, serves: Callable[[str], bool | None]) -> None:
        self._serves = serves
        self.draining = False

    def method(self) -> Method:
        """Return the method to put into the routing table."""
        return Method(
            path=PATH,
            check=self.check,
            refuse=self.refuse,
            last_resort=NOT_SERVING,
            max_message_bytes=MAX_MESSAGE_BYTES,
            bounded=False,
        )

    def check(self, message: bytes, call: GrpcCall) -> None:
        """Answer one serialized `HealthCheckRequest`."""
        try:
            service = HealthCheckRequest.FromString(message).service
        except DecodeError:
            call.answer(NOT_SERVING)
            return
        serves = self._serves(service)
        if serves is None:
            call.reject(UNKNOWN_SERVICE)
        else:
            call.answer(SERVING if serves and not self.draining else NOT_SERVING)

    def refuse(self, _reason: Reason, call: GrpcCall) -> None:
        """Answer a probe that can't be read."""
        call.answer(NOT_SERVING)
