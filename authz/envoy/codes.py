"""What can be wrong with a configuration of Envoy: a stable code each, what it does, and what to do about it.

A code never changes its meaning and is never used again for another. EV1xx: requests that are never asked about.
EV2xx: what becomes of no answer, and how authz is reached. EV3xx: requests that are read two ways. EV4xx: what policies
read and are not sent. EV5xx: order. An error lets requests in, or decides them on something else than what the
application sees; a warning breaks or hides something.
"""

from __future__ import annotations

from typing import NamedTuple

from authz.errors import Severity

_ERROR, _WARNING = Severity.ERROR, Severity.WARNING


class Code(NamedTuple):
    """One thing that can be wrong: `why` it matters, and the `remedy`."""

    code: str
    severity: Severity
    why: str
    remedy: str


UNREADABLE = Code("EV001", _ERROR, "nothing in it was looked at", "mend the file")
NOTHING = Code(
    "EV002",
    _ERROR,
    "nothing in it was looked at",
    "give a bootstrap, a listener, a route configuration, or what Envoy's admin port has at /config_dump",
)
UNSEEN = Code(
    "EV003", _WARNING, "it was not looked at", "give it as well, or what Envoy's admin port has at /config_dump"
)

NO_FILTER = Code("EV101", _ERROR, "its requests are never asked about", "add the filter: authz envoy --snippet")
FILTER_DISABLED = Code("EV102", _ERROR, "only routes that enable it are asked about", "remove disabled: true")
OPTIONAL = Code("EV103", _WARNING, "an Envoy that does not know the filter runs without it", "remove is_optional")
ROUTE_OFF = Code(
    "EV104", _ERROR, "its requests are never asked about", "remove it here, and let a policy allow what is public"
)
FRACTION = Code("EV105", _ERROR, "the other requests are never asked about", "remove filter_enabled")
ONLY_WHERE = Code(
    "EV106", _ERROR, "requests without that metadata are never asked about", "remove filter_enabled_metadata"
)
DENY_AT_DISABLE = Code(
    "EV107", _WARNING, "it does not deny where a route has the filter disabled", "remove disabled from the routes"
)
UPGRADES = Code(
    "EV108", _ERROR, "upgraded requests (websockets) pass through these filters instead", "add the filter here as well"
)
PASSED_THROUGH = Code(
    "EV109", _WARNING, "what comes in here is no HTTP to Envoy, so nobody is asked", "end HTTP here, or close it"
)
OTHER_SERVER = Code("EV110", _WARNING, "another server decides here", "remove it from the route")
SHADOW = Code("EV111", _ERROR, "denied requests are let in", "remove shadow_mode; policies have a mode: shadow")

FAILS_OPEN = Code("EV201", _ERROR, "while authz does not answer, everything is let in", "failure_mode_allow: false")
FAILURE_HEADER = Code(
    "EV202", _WARNING, "it only marks what is let in unasked", "remove it together with failure_mode_allow"
)
NO_STATUS = Code(
    "EV203", _WARNING, "a failure looks like a denial (403)", "status_on_error: {code: ServiceUnavailable}"
)
NO_TIMEOUT = Code("EV204", _WARNING, "Envoy's default is 200 ms, whatever authz may take", "timeout: 0.25s")
ENDLESS = Code("EV205", _ERROR, "a server that hangs holds every request", "timeout: 0.25s")
TIMEOUT_ABOVE_ROUTE = Code(
    "EV206", _WARNING, "the caller is gone before the answer comes", "make it shorter than the route's timeout"
)
TIMEOUT_BELOW_AUTHZ = Code(
    "EV207", _WARNING, "Envoy gives up before authz may answer", "make it longer than authz may take"
)
RETRIED = Code(
    "EV208", _WARNING, "each ask is charged against limits", "retry nothing, or only connect-failure,refused-stream"
)
NOT_GRPC = Code("EV209", _ERROR, "authz speaks gRPC only, so every request fails", "use grpc_service")
GOOGLE_GRPC = Code(
    "EV210", _WARNING, "it knows no health checks, so a server that drains is still asked", "use envoy_grpc"
)
NO_CLUSTER = Code("EV211", _ERROR, "no request can be asked about", "add the cluster: authz envoy --snippet")
NO_HTTP2 = Code("EV212", _ERROR, "gRPC needs HTTP/2", "explicit_http_config: {http2_protocol_options: {}}")
NO_HEALTH = Code(
    "EV213",
    _WARNING,
    "a server that drains or has no policies is still asked",
    "health_checks with grpc_health_check: {service_name: envoy.service.auth.v3.Authorization}",
)
PANIC = Code(
    "EV214",
    _WARNING,
    "when half the hosts are unhealthy, those without policies are asked too, and deny",
    "common_lb_config: {healthy_panic_threshold: {value: 0}}",
)
NO_SERVICE = Code("EV215", _ERROR, "Envoy does not know whom to ask", "add grpc_service")
NO_ALPN = Code("EV216", _ERROR, "gRPC closes a connection on which nothing was agreed", "alpn_protocols: [h2]")
ANYBODY = Code(
    "EV217",
    _ERROR,
    "whoever gets between answers for authz",
    "validation_context with trusted_ca and match_typed_subject_alt_names",
)

PATHS = Code("EV301", _ERROR, "the application may serve another path than policies saw", "normalize_path: true")
SLASHES = Code("EV302", _ERROR, "the application may serve another path than policies saw", "merge_slashes: true")
ESCAPED_SLASHES = Code(
    "EV303",
    _ERROR,
    "the application may serve another path than policies saw",
    "path_with_escaped_slashes_action: REJECT_REQUEST",
)
REMOTE_ADDRESS = Code(
    "EV304",
    _WARNING,
    "callers write x-forwarded-for and x-envoy-* headers themselves",
    "use_remote_address: true, unless only trusted proxies come here",
)
HOPS = Code(
    "EV305",
    _WARNING,
    "Envoy and policies disagree about who the caller is",
    "make xff_num_trusted_hops and the setting client.trusted_hops one number",
)
MUTATIONS = Code("EV306", _WARNING, "a header that cannot be one reaches the application", "validate_mutations: true")
UNWRITTEN = Code(
    "EV307",
    _ERROR,
    "a header that a policy sets or removes may reach the application as the caller wrote it",
    "disallow_is_error: true, or remove decoder_header_mutation_rules",
)

HEADER = Code("EV401", _ERROR, "policies take it for a header that the caller left out", "let the filter send it")
NO_BODY = Code("EV402", _ERROR, "those policies deny every request with a body here", "add with_request_body")
PARTIAL = Code(
    "EV403",
    _ERROR,
    "a body that is cut may arrive as if it were whole",
    "allow_partial_message: false, or make the setting check.body_limit its max_request_bytes",
)
LONG_BODY = Code("EV404", _WARNING, "authz denies a message that is longer (413)", "make max_request_bytes smaller")
NOT_BYTES = Code("EV405", _WARNING, "a body that is no UTF-8 does not arrive as it is", "pack_as_bytes: true")
METADATA = Code("EV406", _ERROR, "policies that read it deny", "name it in metadata_context_namespaces")
ROUTE_METADATA = Code("EV407", _ERROR, "policies that read it deny", "name it in route_metadata_context_namespaces")
CERTIFICATE = Code("EV408", _ERROR, "policies read an empty one", "include_peer_certificate: true")
SESSION = Code("EV409", _ERROR, "policies read an empty one", "include_tls_session: true")
LATE_METADATA = Code("EV410", _ERROR, "what it verifies is not there yet when policies read it", "put it before")

AFTER_ROUTER = Code("EV501", _ERROR, "the router is the last filter, what follows is never run", "put it before")
ANSWERED_BEFORE = Code("EV502", _WARNING, "what it answers itself is never asked about", "put it after")
CACHED_BEFORE = Code("EV503", _ERROR, "what one caller may see is answered to all", "put it after")
ROUTE_CACHE = Code(
    "EV504",
    _ERROR,
    "a header that a policy sets can lead to a route with other settings of the filter",
    "remove clear_route_cache, or the settings on routes",
)
REWRITTEN_REPLY = Code("EV505", _WARNING, "denials reach callers as something else", "leave ext_authz's replies alone")
ADMIN = Code("EV506", _ERROR, "who reaches it can change and stop Envoy", "address: 127.0.0.1, or a Unix socket")

CODES = tuple(one for one in globals().values() if isinstance(one, Code))
"""All of them, in order of their numbers."""
