"""The ext_authz filter, in Envoy's own types: how it asks, what it sends, and what becomes of no answer.

What it sends is settled in `fitting`; that it fails closed is settled here, and no setting changes it. Where it stands
among other filters is the listener's business.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from envoy_data_plane.envoy.config.core.v3 import ApiVersion, GrpcService, GrpcServiceEnvoyGrpc
from envoy_data_plane.envoy.extensions.filters.http.ext_authz.v3 import (
    BufferSettings,
    CheckSettings,
    ExtAuthz,
    ExtAuthzPerRoute,
)
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import HttpFilter
from envoy_data_plane.envoy.type.v3 import HttpStatus, StatusCode
from envoy_data_plane.google.protobuf import Any

from authz.envoy.fitting import FILTER

if TYPE_CHECKING:
    from authz.envoy.fitting import Bodies, Fit

CLUSTER = "authz"


def ext_authz(fit: Fit) -> HttpFilter:
    """Return the filter. A second ask would be a second charge, so it is never retried."""
    return HttpFilter(
        name=FILTER,
        typed_config=Any.pack(
            ExtAuthz(
                transport_api_version=ApiVersion.V3,
                stat_prefix="authz",
                failure_mode_allow=False,
                status_on_error=HttpStatus(code=StatusCode.ServiceUnavailable),
                validate_mutations=True,
                include_peer_certificate=fit.certificate,
                include_tls_session=fit.tls_session,
                metadata_context_namespaces=list(fit.namespaces),
                route_metadata_context_namespaces=list(fit.route_namespaces),
                grpc_service=GrpcService(
                    envoy_grpc=GrpcServiceEnvoyGrpc(cluster_name=CLUSTER), timeout=timedelta(seconds=fit.timeout)
                ),
                with_request_body=_shown(fit.bodies) if fit.bodies else None,
            )
        ),
    )


def unshown() -> dict[str, Any]:
    """Return what a route says to pass bodies on without showing them."""
    return {FILTER: Any.pack(ExtAuthzPerRoute(check_settings=CheckSettings(disable_request_body_buffering=True)))}


def _shown(bodies: Bodies) -> BufferSettings:
    return BufferSettings(max_request_bytes=bodies.longest, allow_partial_message=False, pack_as_bytes=True)
