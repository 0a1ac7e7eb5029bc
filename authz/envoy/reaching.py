"""What is wrong with the cluster by which the filter reaches authz: missing, not gRPC's, unwatched, or anybody's.

Asked only where clusters are known at all: a listener in a file of its own names one that is somewhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.envoy import codes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz.envoy.parts import HttpFilter, Parts
    from authz.envoy.reading import Message
    from authz.errors import Fault

_VALIDATING = (
    "validation_context", "validation_context_sds_secret_config", "combined_validation_context",
    "validation_context_certificate_provider", "validation_context_certificate_provider_instance",
)  # fmt: skip
_RESOLVED = frozenset({"STRICT_DNS", "LOGICAL_DNS", "EDS", "2", "3"})


def cluster_findings(one: HttpFilter, parts: Parts) -> Iterator[Fault]:
    """Yield what is wrong with the cluster of a filter."""
    service = one.config.message("grpc_service") if one.config else None
    envoy = service.message("envoy_grpc") if service else None
    if envoy is None or not parts.clusters:
        return
    name = envoy.text("cluster_name")
    named = [cluster for cluster in parts.clusters if cluster.text("name") == name]
    if not named:
        yield envoy.finding(codes.NO_CLUSTER, f'there is no cluster "{name}"', at="cluster_name")
    for cluster in named:
        yield from _reached(cluster)


def _reached(cluster: Message) -> Iterator[Fault]:
    name = cluster.text("name")
    if not _speaks_http2(cluster):
        yield cluster.finding(codes.NO_HTTP2, f'the cluster "{name}" does not speak HTTP/2', at="name")
    yield from _secured(cluster)
    checks = cluster.messages("health_checks")
    if not any(check.has("grpc_health_check") for check in checks):
        yield cluster.finding(codes.NO_HEALTH, f'the cluster "{name}" asks for no health', at="name")
    elif _hosts(cluster) > 1 and _panics(cluster):
        yield cluster.finding(codes.PANIC, f'the cluster "{name}" panics', at="name")


def _speaks_http2(cluster: Message) -> bool:
    if cluster.has("http2_protocol_options"):
        return True
    for _, options in cluster.entries("typed_extension_protocol_options"):
        for kind in ("explicit_http_config", "use_downstream_protocol_config"):
            config = options.message(kind)
            if config is not None and config.has("http2_protocol_options"):
                return True
    return False


def _secured(cluster: Message) -> Iterator[Fault]:
    """Yield what is wrong with TLS, where there is any."""
    socket = cluster.message("transport_socket")
    config = socket.message("typed_config") if socket else None
    common = config.message("common_tls_context") if config else None
    if config is None or not config.type.endswith(".UpstreamTlsContext"):
        return
    name = cluster.text("name")
    if common is None or "h2" not in common.texts("alpn_protocols"):
        yield cluster.finding(codes.NO_ALPN, f'the cluster "{name}" does not offer h2', at="transport_socket")
    if common is None or not any(common.has(kind) for kind in _VALIDATING):
        yield cluster.finding(codes.ANYBODY, f'the cluster "{name}" believes any certificate', at="transport_socket")


def _hosts(cluster: Message) -> int:
    """Return how many hosts there are; a name stands for many."""
    if cluster.text("type") in _RESOLVED:
        return 2
    assignment = cluster.message("load_assignment")
    places = assignment.messages("endpoints") if assignment else []
    return sum(len(place.messages("lb_endpoints")) for place in places)


def _panics(cluster: Message) -> bool:
    common = cluster.message("common_lb_config")
    threshold = common.message("healthy_panic_threshold") if common else None
    return threshold is None or bool(threshold.number("value"))
