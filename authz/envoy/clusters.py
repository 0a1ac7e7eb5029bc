"""Where Envoy connects to, in its own types: authz, and the application behind it.

Of authz only hosts that are healthy are asked, by the health of the very service that decides: one that drains, or
has no policies yet, is left. What the places are is settled in `fitting`.
"""

from __future__ import annotations

import ipaddress
from datetime import timedelta
from typing import TYPE_CHECKING

from envoy_data_plane.envoy.config.cluster.v3 import (
    CircuitBreakers,
    CircuitBreakersThresholds,
    Cluster,
    ClusterCommonLbConfig,
    ClusterDiscoveryType,
    ClusterLbPolicy,
    OutlierDetection,
)
from envoy_data_plane.envoy.config.core.v3 import (
    Address,
    DataSource,
    HealthCheck,
    HealthCheckGrpcHealthCheck,
    Http2ProtocolOptions,
    KeepaliveSettings,
    Pipe,
    SocketAddress,
    TransportSocket,
)
from envoy_data_plane.envoy.config.endpoint.v3 import ClusterLoadAssignment, Endpoint, LbEndpoint, LocalityLbEndpoints
from envoy_data_plane.envoy.extensions.transport_sockets.tls.v3 import (
    CertificateValidationContext,
    CommonTlsContext,
    SubjectAltNameMatcher,
    SubjectAltNameMatcherSanType,
    TlsCertificate,
    UpstreamTlsContext,
)
from envoy_data_plane.envoy.extensions.upstreams.http.v3 import (
    HttpProtocolOptions,
    HttpProtocolOptionsExplicitHttpConfig,
)
from envoy_data_plane.envoy.type.matcher.v3 import StringMatcher
from envoy_data_plane.envoy.type.v3 import Percent
from envoy_data_plane.google.protobuf import Any

from authz.envoy.filter import CLUSTER
from authz.envoy.fitting import SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from authz.envoy.fitting import Fit, Place, TlsFiles

APPLICATION = "application"
_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def authz(fit: Fit) -> Cluster:
    """Return the cluster of authz: HTTP/2, asked for the health of the very service that decides.

    A host that is resolved stands for many, of which one may be gone without a word, or not be ready yet.
    """
    many = fit.places[0].is_name
    cluster = Cluster(
        name=CLUSTER,
        type=_discovery(fit.places[0]),
        connect_timeout=timedelta(seconds=0.25),
        typed_extension_protocol_options=_http2(watched=many),
        circuit_breakers=CircuitBreakers(
            thresholds=[CircuitBreakersThresholds(max_pending_requests=4096, max_requests=4096)]
        ),
        health_checks=[_health()],
        load_assignment=_assignment(CLUSTER, fit.places),
    )
    if many or len(fit.places) > 1:
        cluster.lb_policy = ClusterLbPolicy.LEAST_REQUEST
        cluster.common_lb_config = ClusterCommonLbConfig(healthy_panic_threshold=Percent(value=0))
    if many:
        cluster.outlier_detection = OutlierDetection(
            interval=timedelta(seconds=2),
            base_ejection_time=timedelta(seconds=10),
            max_ejection_percent=50,
        )
    if fit.tls is not None:
        cluster.transport_socket = _tls(fit.tls, fit.places[0])
    return cluster


def application(place: Place, *, http2: bool) -> Cluster:
    """Return the cluster of what is behind Envoy."""
    return Cluster(
        name=APPLICATION,
        type=_discovery(place),
        connect_timeout=timedelta(seconds=1),
        typed_extension_protocol_options=_http2() if http2 else {},
        load_assignment=_assignment(APPLICATION, [place]),
    )


def _discovery(place: Place) -> ClusterDiscoveryType:
    return ClusterDiscoveryType.STRICT_DNS if place.is_name else ClusterDiscoveryType.STATIC


def _http2(*, watched: bool = False) -> dict[str, Any]:
    keepalive = KeepaliveSettings(interval=timedelta(seconds=5), timeout=timedelta(seconds=2)) if watched else None
    explicit = HttpProtocolOptionsExplicitHttpConfig(
        http2_protocol_options=Http2ProtocolOptions(connection_keepalive=keepalive)
    )
    return {_OPTIONS: Any.pack(HttpProtocolOptions(explicit_http_config=explicit))}


def _health() -> HealthCheck:
    return HealthCheck(
        timeout=timedelta(seconds=1),
        interval=timedelta(seconds=2),
        no_traffic_interval=timedelta(seconds=2),
        unhealthy_threshold=2,
        healthy_threshold=1,
        grpc_health_check=HealthCheckGrpcHealthCheck(service_name=SERVICE),
    )


def _assignment(cluster: str, places: Iterable[Place]) -> ClusterLoadAssignment:
    endpoints = [LbEndpoint(endpoint=Endpoint(address=_address(place))) for place in places]
    return ClusterLoadAssignment(cluster_name=cluster, endpoints=[LocalityLbEndpoints(lb_endpoints=endpoints)])


def _address(place: Place) -> Address:
    if place.is_path:
        return Address(pipe=Pipe(path=place.host))
    return Address(socket_address=SocketAddress(address=place.host, port_value=place.port))


def _tls(files: TlsFiles, place: Place) -> TransportSocket:
    """Return TLS that knows authz by its authority and its name; without the name anybody of that authority is it."""
    names = SubjectAltNameMatcher(san_type=_san(place), matcher=StringMatcher(exact=place.host))
    mine = TlsCertificate(
        certificate_chain=DataSource(filename=files.certificate), private_key=DataSource(filename=files.key)
    )
    context = CommonTlsContext(
        alpn_protocols=["h2"],  # a gRPC server closes a connection on which nothing was agreed
        tls_certificates=[mine] if files.certificate else [],
        validation_context=CertificateValidationContext(
            trusted_ca=DataSource(filename=files.ca), match_typed_subject_alt_names=[names]
        ),
    )
    sni = place.host if place.is_name else ""
    return TransportSocket(
        name="envoy.transport_sockets.tls",
        typed_config=Any.pack(UpstreamTlsContext(common_tls_context=context, sni=sni)),
    )


def _san(place: Place) -> SubjectAltNameMatcherSanType:
    try:
        ipaddress.ip_address(place.host)
    except ValueError:
        return SubjectAltNameMatcherSanType.DNS
    return SubjectAltNameMatcherSanType.IP_ADDRESS
