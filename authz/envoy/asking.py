"""What is wrong with the filter itself: how it asks, what becomes of no answer, and what it does not send.

What policies read is known only where policies are given; without them nothing is said of it, except of what would
hurt whatever they read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from authz.envoy import codes
from authz.envoy.fitting import longest_body, slowest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from authz.config import Settings
    from authz.envoy.codes import Code
    from authz.envoy.parts import HttpFilter
    from authz.envoy.reading import Message
    from authz.errors import Fault
    from authz.policy import Needs

_UNSTARTED = frozenset({"connect-failure", "refused-stream", "reset-before-request"})
_PARTS_OF = {"HUNDRED": 100.0, "TEN_THOUSAND": 10_000.0, "MILLION": 1_000_000.0, "": 100.0}


class Against(msgspec.Struct, frozen=True, kw_only=True):
    """What a configuration is held against: the settings of authz, and what its policies need, if that is known."""

    settings: Settings
    needs: Needs | None = None


def filter_findings(one: HttpFilter, against: Against) -> Iterator[Fault]:
    """Yield what is wrong with one ext_authz filter."""
    if one.entry.flag("disabled"):
        yield one.entry.finding(codes.FILTER_DISABLED, "the filter is disabled", at="disabled")
    if one.entry.flag("is_optional"):
        yield one.entry.finding(codes.OPTIONAL, "the filter is optional", at="is_optional")
    if one.config is not None:
        yield from _always_asked(one.config)
        yield from _unanswered(one.config)
        yield from _service(one.config, against)
        yield from _bodies(one.config, against)
        if against.needs is not None:
            yield from _unsent(one.config, against, against.needs)


def _always_asked(config: Message) -> Iterator[Fault]:
    enabled = config.message("filter_enabled")
    share = _share(enabled.message("default_value")) if enabled else 1.0
    if share < 1.0:
        yield config.finding(codes.FRACTION, f"only {share:.4%} of requests are asked about", at="filter_enabled")
    if config.has("filter_enabled_metadata"):
        yield config.finding(codes.ONLY_WHERE, "whether to ask depends on metadata", at="filter_enabled_metadata")
    if config.has("deny_at_disable"):
        yield config.finding(codes.DENY_AT_DISABLE, "deny_at_disable promises too much", at="deny_at_disable")
    if config.flag("shadow_mode"):
        yield config.finding(codes.SHADOW, "the filter only watches", at="shadow_mode")


def _share(value: Message | None) -> float:
    """Return a fractional percent as a fraction; what is not written is 0, as in Protocol Buffers."""
    if value is None:
        return 0.0
    return (value.number("numerator") or 0.0) / _PARTS_OF.get(value.text("denominator"), 1_000_000.0)


def _unanswered(config: Message) -> Iterator[Fault]:
    if config.flag("failure_mode_allow"):
        yield config.finding(codes.FAILS_OPEN, "failure_mode_allow is true", at="failure_mode_allow")
    if config.flag("failure_mode_allow_header_add"):
        at = "failure_mode_allow_header_add"
        yield config.finding(codes.FAILURE_HEADER, f"{at} is true", at=at)
    if not config.has("status_on_error"):
        yield config.finding(codes.NO_STATUS, "there is no status_on_error")
    rules = config.message("decoder_header_mutation_rules")
    if rules is not None and not rules.flag("disallow_is_error"):
        at = "decoder_header_mutation_rules"
        yield config.finding(codes.UNWRITTEN, "some of what policies write is left out", at=at)
    if not config.flag("validate_mutations"):
        yield config.finding(codes.MUTATIONS, "validate_mutations is not true", at="validate_mutations")


def _service(config: Message, against: Against) -> Iterator[Fault]:
    service = config.message("grpc_service")
    if config.has("http_service"):
        yield config.finding(codes.NOT_GRPC, "the filter asks by HTTP", at="http_service")
    elif service is None:
        yield config.finding(codes.NO_SERVICE, "the filter asks nobody")
    else:
        if service.has("google_grpc"):
            yield service.finding(codes.GOOGLE_GRPC, "the filter asks by google_grpc", at="google_grpc")
        yield from _patience(service, against)
        for retrying in filter(None, (service, service.message("envoy_grpc"))):
            yield from _retries(retrying)


def _patience(service: Message, against: Against) -> Iterator[Fault]:
    timeout = service.seconds("timeout")
    least = slowest(against.settings, against.needs)
    if timeout is None:
        yield service.finding(codes.NO_TIMEOUT, "the filter has no timeout", at="timeout")
    elif timeout == 0:
        yield service.finding(codes.ENDLESS, "a timeout of 0 is none", at="timeout")
    elif timeout <= least:
        what = f"the timeout of {timeout:g} s is not above the {least:g} s that authz may wait for others"
        yield service.finding(codes.TIMEOUT_BELOW_AUTHZ, what, at="timeout")


def _retries(service: Message) -> Iterator[Fault]:
    policy = service.message("retry_policy")
    if policy is not None and not set(policy.text("retry_on").replace(" ", "").split(",")) <= _UNSTARTED:
        yield service.finding(codes.RETRIED, "authz is asked again", at="retry_policy")


def _bodies(config: Message, against: Against) -> Iterator[Fault]:
    shown = config.message("with_request_body")
    if shown is not None and (against.needs is None or against.needs.bodies):
        yield from body_findings(shown, against)


def body_findings(shown: Message, against: Against) -> Iterator[Fault]:
    """Yield what is wrong with how bodies are shown, by the filter or by a route."""
    longest = longest_body(against.settings)
    most = shown.number("max_request_bytes") or 0
    if shown.flag("allow_partial_message") and most != against.settings.check.body_limit:
        yield shown.finding(codes.PARTIAL, "bodies may be shown in part", at="allow_partial_message")
    if most > longest:
        what = f"bodies of more than {longest} bytes may be shown"
        yield shown.finding(codes.LONG_BODY, what, at="max_request_bytes")
    if not shown.flag("pack_as_bytes"):
        yield shown.finding(codes.NOT_BYTES, "bodies are sent as text", at="pack_as_bytes")


def _unsent(config: Message, against: Against, needs: Needs) -> Iterator[Fault]:
    yield from _unsent_headers(config, against, needs)
    for code, field, wanted in (
        (codes.METADATA, "metadata_context_namespaces", needs.metadata),
        (codes.ROUTE_METADATA, "route_metadata_context_namespaces", needs.route_metadata),
    ):
        yield from _unsent_namespaces(config, code, field, wanted)
    if needs.certificate and not config.flag("include_peer_certificate"):
        at = "include_peer_certificate"
        yield config.finding(codes.CERTIFICATE, "policies read the caller's certificate, which is not sent", at=at)
    if needs.tls_session and not config.flag("include_tls_session"):
        yield config.finding(
            codes.SESSION, "policies read the TLS session, which is not sent", at="include_tls_session"
        )


def _unsent_namespaces(config: Message, code: Code, field: str, wanted: frozenset[str] | None) -> Iterator[Fault]:
    sent = {*config.texts(field), *config.texts(f"typed_{field}")}
    if wanted is None and not sent:
        yield config.finding(code, "policies read all metadata, and none is sent", at=field)
    for name in sorted((wanted or frozenset()) - sent):
        yield config.finding(code, f'policies read the metadata "{name}", which is not sent', at=field)


def _unsent_headers(config: Message, against: Against, needs: Needs) -> Iterator[Fault]:
    wanted = set(needs.headers or ())
    if against.settings.client.trusted_hops or against.settings.client.trusted_networks:
        wanted.add("x-forwarded-for")
    for field, keeps in (("allowed_headers", True), ("disallowed_headers", False)):
        matcher = config.message(field)
        if matcher is None:
            continue
        if needs.headers is None:
            yield config.finding(codes.HEADER, f"policies read any header, and {field} leaves some out", at=field)
        for name in sorted(wanted):
            if _matches(matcher, name) is not keeps:
                yield config.finding(codes.HEADER, f'policies need the header "{name}", which is not sent', at=field)


def _matches(matcher: Message, name: str) -> bool:
    return any(_matches_one(pattern, name) for pattern in matcher.messages("patterns"))


def _matches_one(pattern: Message, name: str) -> bool:
    """Return whether a `StringMatcher` takes a header; names are in lower case."""
    regex = pattern.message("safe_regex")
    if regex is not None:
        return _fully(regex.text("regex"), name)
    folded = str.lower if pattern.flag("ignore_case") else str
    tests: Iterable[tuple[str, bool]] = (
        ("exact", name == folded(pattern.text("exact"))),
        ("prefix", name.startswith(folded(pattern.text("prefix")))),
        ("suffix", name.endswith(folded(pattern.text("suffix")))),
        ("contains", folded(pattern.text("contains")) in name),
    )
    return any(pattern.has(kind) and holds for kind, holds in tests)


def _fully(regex: str, text: str) -> bool:
    """Return whether RE2 would match it all; a pattern that only RE2 knows matches nothing."""
    try:
        return re.fullmatch(regex, text) is not None
    except re.error:
        return False
