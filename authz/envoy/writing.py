"""Configurations as YAML that a person reads: what keeps it closed is spelled out, and marked "closed:".

Protocol Buffers leave out what has its default. That no answer lets nobody in is the default too, and is written
nevertheless: it is the one line that everybody looks for.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_WIDTH = 100

COMMENTS: Mapping[str, str] = {
    "normalize_path": "closed: the application and the policies see one and the same path.",
    "common_http_protocol_options": "closed: an application may take x_tenant for x-tenant.",
    "xff_num_trusted_hops": "As many proxies are before Envoy as the setting client.trusted_hops says.",
    "failure_mode_allow": "closed: no answer from authz is a 503, never a way in.",
    "validate_mutations": "closed: a header that cannot be one ends the request, and reaches no application.",
    "metadata_context_namespaces": "What policies read of Envoy's metadata; what is not named here is not sent.",
    "route_metadata_context_namespaces": "What policies read of the route's metadata.",
    "grpc_service": (
        "Longer than any answer takes (authz itself gives up before), shorter than the route's\n"
        "timeout. Not retried: a second ask would be a second charge."
    ),
    "with_request_body": (
        "Bodies up to this size are shown to policies; a longer one is a 413. closed: with\n"
        "allow_partial_message a chunked body that is cut exactly at the bound arrives as if whole.\n"
        "Turn the buffering off (ExtAuthzPerRoute) for uploads, streams and websockets."
    ),
    "typed_per_filter_config": (
        "No policy reads bodies here, so none is held back. closed: a policy that comes to read\n"
        "them here denies, until this is generated anew."
    ),
    "outlier_detection": "Every pod is a host of this cluster; one that answers nothing is left out for a while.",
    "connection_keepalive": "A pod that vanished without a word is noticed before TCP would.",
    "common_lb_config": (
        "closed: a host without policies denies everything, so it is never asked, however few the\nothers are."
    ),
    "validation_context": "closed: nobody but authz answers for it.",
}
"""What stands above a field, by its name."""

_LAST = (
    "static_resources", "access_log", "route_config", "http_filters", "grpc_service", "with_request_body",
    "load_assignment", "route", "typed_per_filter_config",
)  # fmt: skip
"""Fields that come after all others, for they are long; all others as Envoy's documentation has them."""

_SPELLED: Mapping[str, Mapping[str, Any]] = {
    "status_on_error": {"failure_mode_allow": False},
    "pack_as_bytes": {"allow_partial_message": False},
}
"""Defaults that are written all the same, before the field that they belong to."""

_EMPTY: Mapping[str, Mapping[str, Any]] = {"healthy_panic_threshold": {"value": 0}}
"""Messages of nothing but defaults that are written all the same."""

_KEY = re.compile(r'( *)(?:- )?"?([a-z_0-9]+)"?:(?: |$)')


def write(tree: Mapping[str, Any], about: str = "") -> str:
    """Return the YAML of a message's plain form, `about` and comments in it."""
    text = yaml.dump(_spelled(tree), Dumper=_Dumper, sort_keys=False, width=4096, default_flow_style=False)
    return "\n".join([*_comment(about, ""), *_commented(text)]) + "\n"


def _spelled(node: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(node, list):
        return [_spelled(one) for one in node]
    if not isinstance(node, dict):
        return node
    spelled: dict[str, Any] = {}
    for key, value in sorted(node.items(), key=_order):
        spelled |= _SPELLED.get(key, {})
        spelled[key] = _spelled(value or _EMPTY.get(key, value))
    return spelled


def _order(item: tuple[str, Any]) -> int:
    return _LAST.index(item[0]) if item[0] in _LAST else -1


def _commented(text: str) -> Iterator[str]:
    """Yield the lines, an empty one before each part of the whole."""
    for line in text.splitlines():
        key = _KEY.match(line)
        if key and not key[1] and key[2] != "node":
            yield ""
        if key:
            yield from _comment(COMMENTS.get(key[2], ""), key[1])
        yield line


def _comment(text: str, indent: str) -> Iterator[str]:
    return (f"{indent}# {line}".rstrip() for line in text.splitlines())


class _Dumper(yaml.SafeDumper):
    """Writes lists indented, and a short mapping of scalars on one line."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - as declared
        super().increase_indent(flow, indentless=False)

    def represent_mapping(self, tag: str, mapping: Any, flow_style: bool | None = None) -> yaml.MappingNode:  # noqa: ANN401
        node = super().represent_mapping(tag, mapping, flow_style)
        scalars = all(isinstance(value, yaml.ScalarNode) for _, value in node.value)
        length = sum(len(key.value) + len(value.value) + 4 for key, value in node.value) if scalars else _WIDTH
        node.flow_style = length < _WIDTH and not any(key.value in COMMENTS for key, _ in node.value)
        return node
