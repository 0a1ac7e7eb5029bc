"""gRPC: the server that Envoy asks, twice behind one interface (`fast`, `aio`), with the same behaviour.

A service is what decides (`Service`); the transport brings it bytes and takes its answers. Here live listening, TLS,
health, bounds, cancelled calls, drain and stop. What a message means is not known here. `grpc` is met nowhere else
but in the composition root, `cygrpc` only in `fast`.
"""

from __future__ import annotations

from authz.transport.opening import Server, TransportName, open_server
from authz.transport.options import Tls
from authz.transport.service import Call, Method, Service

__all__ = ["Call", "Method", "Server", "Service", "Tls", "TransportName", "open_server"]
