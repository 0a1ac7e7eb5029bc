"""What lets requests in, or breaks: each planted in what ships, found, and nothing else found with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.config import Settings
from authz.config.settings import CheckSettings, ClientSettings, RedisSettings
from authz.envoy.checking import findings
from authz.envoy.codes import CODES
from authz.errors import Severity
from authz.policy import Needs
from tests.envoy.conftest import BODIES, ENVOY, FILTER, Planted, dumped

Change = Callable[[Planted], None]


def _set(place: str, *names: str, **fields: Any) -> Change:
    """Return a change that sets fields at a place, and takes names away."""

    def change(one: Planted) -> None:
        target = getattr(one, place)
        target |= fields
        for name in names:
            del target[name]

    return change


def _moved(one: Planted) -> None:
    one.filters.reverse()


def _gone(one: Planted) -> None:
    del one.filters[0]


def _raw(one: Planted) -> None:
    one.chain["filters"] = [{"name": "tcp", "typed_config": {"@type": "type.googleapis.com/envoy.x.TcpProxy"}}]
    one.listener["default_filter_chain"] = Planted().chain


def _upgraded(one: Planted) -> None:
    one.manager["upgrade_configs"] = [{"upgrade_type": "websocket", "filters": [one.filters[-1]]}]


def _weighted(one: Planted) -> None:
    cluster = {"name": "application", "weight": 1}
    one.off(cluster)
    one.route["route"] = {"weighted_clusters": {"clusters": [cluster]}}


def _wrapped(one: Planted) -> None:
    config = {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "disabled": True}
    one.route["typed_per_filter_config"] = {FILTER: config}


def _cached_routes(one: Planted) -> None:
    one.filter["clear_route_cache"] = True
    one.off(one.route, check_settings={"context_extensions": {"a": "b"}})


def _exposed(one: Planted) -> None:
    one.whole["admin"]["address"]["socket_address"]["address"] = "0.0.0.0"


def _many(one: Planted) -> None:
    one.cluster["type"] = "STRICT_DNS"


def _http1(one: Planted) -> None:
    options = {"@type": one.cluster["typed_extension_protocol_options"].popitem()[1]["@type"]}
    options["explicit_http_config"] = {"http_protocol_options": {}}
    one.cluster["typed_extension_protocol_options"] = {
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options
    }


def _patient(one: Planted) -> None:
    one.service["timeout"] = "15s"
    del one.route["route"]["timeout"]


def _discovered(one: Planted) -> None:
    one.entry["config_discovery"] = {"type_urls": [one.entry.pop("typed_config")["@type"]]}


def _vhds(one: Planted) -> None:
    one.manager["route_config"]["vhds"] = {"config_source": {"ads": {}}}


def _sent(one: Planted) -> None:
    del one.manager["route_config"]
    one.manager["rds"] = {"route_config_name": "application"}


def _tls(**common: Any) -> Change:
    kind = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"
    config = {"@type": kind, "common_tls_context": common}
    return _set("cluster", transport_socket={"name": "envoy.transport_sockets.tls", "typed_config": config})


PLANTED: dict[str, tuple[str, Change]] = {
    "filter elsewhere": ("EV003", _discovered),
    "hosts elsewhere": ("EV003", _vhds),
    "routes elsewhere": ("EV003", _sent),
    "no filter": ("EV101", _gone),
    "disabled by default": ("EV102", _set("entry", disabled=True)),
    "optional": ("EV103", _set("entry", is_optional=True)),
    "off on a route": ("EV104", lambda one: one.off(one.route)),
    "off on a host": ("EV104", lambda one: one.off(one.host)),
    "off on all": ("EV104", lambda one: one.off(one.manager["route_config"])),
    "off for a weighted cluster": ("EV104", _weighted),
    "off in an envelope": ("EV104", _wrapped),
    "for some": ("EV105", _set("filter", filter_enabled={"default_value": {"numerator": 99}})),
    "for none, by default": ("EV105", _set("filter", filter_enabled={"runtime_key": "authz"})),
    "for some metadata": ("EV106", _set("filter", filter_enabled_metadata={"filter": "a", "path": [{"key": "b"}]})),
    "deny at disable": ("EV107", _set("filter", deny_at_disable={"runtime_key": "a", "default_value": True})),
    "upgrades": ("EV108", _upgraded),
    "no HTTP": ("EV109", _raw),
    "asks another": ("EV110", lambda one: one.off(one.route, check_settings={"grpc_service": {}})),
    "watches only": ("EV111", _set("filter", shadow_mode=True)),
    "fails open": ("EV201", _set("filter", failure_mode_allow=True)),
    "marks failures": ("EV202", _set("filter", failure_mode_allow_header_add=True)),
    "no status": ("EV203", _set("filter", "status_on_error")),
    "no timeout": ("EV204", _set("service", "timeout")),
    "endless": ("EV205", _set("service", timeout="0s")),
    "outwaits the route": ("EV206", lambda one: one.route["route"].update(timeout="0.2s")),
    "outwaits the default": ("EV206", _patient),
    "too hasty": ("EV207", _set("service", timeout="0.02s")),
    "retries": ("EV208", _set("service", retry_policy={"num_retries": 1})),
    "retries 5xx": ("EV208", lambda one: one.service["envoy_grpc"].update(retry_policy={"retry_on": "5xx"})),
    "by HTTP": ("EV209", _set("filter", "grpc_service", http_service={"server_uri": {"uri": "http://authz"}})),
    "by google": ("EV210", lambda one: one.filter.update(grpc_service={"google_grpc": {}, "timeout": "0.25s"})),
    "no cluster": ("EV211", lambda one: one.service["envoy_grpc"].update(cluster_name="auhtz")),
    "no HTTP/2": ("EV212", _http1),
    "no health": ("EV213", _set("cluster", "health_checks")),
    "panics": ("EV214", _many),
    "asks nobody": ("EV215", _set("filter", "grpc_service")),
    "no ALPN": ("EV216", _tls(validation_context={"trusted_ca": {"filename": "ca.pem"}})),
    "any certificate": ("EV217", _tls(alpn_protocols=["h2"])),
    "paths as they are": ("EV301", _set("manager", "normalize_path")),
    "slashes": ("EV302", _set("manager", merge_slashes=False)),
    "escaped slashes": ("EV303", _set("manager", path_with_escaped_slashes_action="KEEP_UNCHANGED")),
    "escaped slashes by default": ("EV303", _set("manager", "path_with_escaped_slashes_action")),
    "believes addresses": ("EV304", _set("manager", "use_remote_address")),
    "trusts a hop": ("EV305", _set("manager", xff_num_trusted_hops=1)),
    "any mutation": ("EV306", _set("filter", "validate_mutations")),
    "mutations left out": ("EV307", _set("filter", decoder_header_mutation_rules={"disallow_all": True})),
    "partial bodies": ("EV403", lambda one: one.filter["with_request_body"].update(allow_partial_message=True)),
    "endless bodies": ("EV404", lambda one: one.filter["with_request_body"].update(max_request_bytes=4194304)),
    "bodies as text": ("EV405", lambda one: one.filter["with_request_body"].pop("pack_as_bytes")),
    "after the router": ("EV501", _moved),
    "script before": ("EV502", lambda one: one.before("envoy.filters.http.lua")),
    "cache before": ("EV503", lambda one: one.before("envoy.filters.http.cache")),
    "clears the route": ("EV504", _cached_routes),
    "rewrites": ("EV505", _set("manager", local_reply_config={"mappers": [{"status_code": 200}]})),
    "rewrites bodies": ("EV505", _set("manager", local_reply_config={"body_format": {"text_format": "no"}})),
    "admin for all": ("EV506", _exposed),
}  # fmt: skip


def _allowed(*names: str) -> Change:
    return _set("filter", allowed_headers={"patterns": [{"exact": name, "ignore_case": True} for name in names]})


def _shown(paths: str) -> Change:
    """Return a change that shows bodies on routes below these paths only."""

    def change(one: Planted) -> None:
        shown = {"match": {"prefix": paths}, "route": one.route["route"]}
        one.off(one.route, check_settings={"disable_request_body_buffering": True})
        one.host["routes"].insert(0, shown)

    return change


HEADERS = Needs(headers=frozenset({"x-role"}))
READ: dict[str, tuple[str, Needs, Change]] = {
    "header not allowed": ("EV401", HEADERS, _allowed("authorization", "X-Team")),
    "header disallowed": ("EV401", HEADERS, _set("filter", disallowed_headers={"patterns": [{"prefix": "x-"}]})),
    "any header": ("EV401", Needs(headers=None), _allowed("x-role")),
    "no bodies": ("EV402", BODIES, _set("filter", "with_request_body")),
    "bodies elsewhere": ("EV402", BODIES, _shown("/carts")),
    "no metadata": ("EV406", Needs(metadata=frozenset({"io.team"})), lambda _: None),
    "no metadata at all": ("EV406", Needs(metadata=None), lambda _: None),
    "no route metadata": ("EV407", Needs(route_metadata=frozenset({"io.team"})), lambda _: None),
    "no certificate": ("EV408", Needs(certificate=True), _set("filter", "include_peer_certificate")),
    "no TLS session": ("EV409", Needs(tls_session=True), lambda _: None),
    "verified too late": (
        "EV410", Needs(metadata=frozenset({"envoy.filters.http.jwt_authn"})),
        lambda one: (
            one.filter.update(metadata_context_namespaces=["envoy.filters.http.jwt_authn"]),
            one.before("envoy.filters.http.jwt_authn", 1),
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ["sidecar.yaml", "service.yaml"])
@pytest.mark.parametrize("needs", [None, Needs(), BODIES, HEADERS])
def test_what_ships_is_clean(name: str, needs: Needs | None) -> None:
    """Nothing is found where nothing is wrong."""
    assert Planted(name).codes(needs=needs) == []


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_found_and_nothing_else(name: str) -> None:
    """Rows E1, E2, E3, E4, E5, E8, E9: each by its own code."""
    code, change = PLANTED[name]
    planted = Planted()
    change(planted)
    assert planted.codes() == [code]


@pytest.mark.parametrize("name", READ)
def test_what_policies_read_and_is_not_sent_is_found(name: str) -> None:
    """Rows B2, E8, E9: what Envoy leaves out looks like something the caller left out."""
    code, needs, change = READ[name]
    planted = Planted()
    change(planted)
    assert planted.codes(needs=needs) == [code]


def test_every_code_is_planted() -> None:
    """No code is only claimed; EV001 and EV002 are about files."""
    planted = {code for code, _ in PLANTED.values()} | {code for code, *_ in READ.values()}
    assert [one.code for one in CODES if one.code not in planted] == ["EV001", "EV002"]


@pytest.mark.parametrize(
    "change",
    [
        _allowed("x-role"),
        _set("filter", allowed_headers={"patterns": [{"safe_regex": {"regex": "x-.*"}}]}),
        _set("filter", disallowed_headers={"patterns": [{"suffix": "-team"}, {"contains": "secret"}]}),
        _set("service", retry_policy={"retry_on": "connect-failure, refused-stream"}),
        lambda one: one.before("envoy.filters.http.jwt_authn"),
        lambda one: one.before("envoy.filters.http.cors"),
        _set("listener", traffic_direction="INBOUND"),
        _set("filter", filter_enabled={"default_value": {"numerator": 1000000, "denominator": "MILLION"}}),
        _set("filter", clear_route_cache=True),
        _set("filter", decoder_header_mutation_rules={"disallow_all": True, "disallow_is_error": True}),
    ],
)
def test_what_is_harmless_is_not_told(change: Change) -> None:
    """A warning that is always there is read by nobody."""
    planted = Planted()
    change(planted)
    assert planted.codes(needs=HEADERS) == []


def test_bodies_may_be_cut_where_the_service_knows_at_which_byte() -> None:
    """B1: EV403 is about a bound that the service was not told, or was told wrong."""
    planted = Planted()
    PLANTED["partial bodies"][1](planted)
    for size, codes in ((65536, []), (65535, ["EV403"]), (65537, ["EV403"])):
        assert planted.codes(Settings(check=CheckSettings(body_limit=size))) == codes


def test_settings_are_what_it_is_held_against() -> None:
    """Hops, Redis's time limit and the longest message are the service's own."""
    assert Planted().codes(Settings(client=ClientSettings(trusted_hops=1))) == ["EV305"]
    assert Planted().codes(Settings(redis=RedisSettings(timeout=0.25))) == ["EV207"]
    assert Planted().codes(Settings(check=CheckSettings(max_message=100_000))) == ["EV404"]
    assert Planted().codes(needs=Needs(inquiry=0.3)) == ["EV207"]


def test_a_finding_has_its_place_severity_reason_and_remedy() -> None:
    """A person sees the line; a machine the code."""
    text = (ENVOY / "sidecar.yaml").read_text().replace("failure_mode_allow: false", "failure_mode_allow: true")
    (found,) = findings({"envoy.yaml": text.encode()}, Settings())
    line = text.splitlines().index("                      failure_mode_allow: true") + 1
    assert (found.line, found.column, found.length, found.severity) == (line, 23, 18, Severity.ERROR)
    assert str(found).splitlines()[0] == (
        f"envoy.yaml:{line}:23: EV201 failure_mode_allow is true: while authz does not answer, everything is let in "
        "(failure_mode_allow: false)"
    )


@pytest.mark.parametrize("name", ["fails open", "off on a route", "no cluster", "outwaits the route", "admin for all"])
def test_a_dump_of_a_running_envoy_is_read(name: str) -> None:
    """`curl localhost:9901/config_dump | authz envoy --check -`: JSON, and routes that came by themselves."""
    clean, planted = Planted(), Planted()
    assert findings({"dump": json.dumps(dumped(clean.whole)).encode()}, Settings()) == ()
    code, change = PLANTED[name]
    change(planted)
    found = findings({"dump": json.dumps(dumped(planted.whole), indent=1).encode()}, Settings())
    assert [one.code for one in found] == [code]


@pytest.mark.parametrize("text", ["", "a: 1", "[]", "apiVersion: v1\nkind: ConfigMap\ndata: {a.yaml: b}"])
def test_a_file_with_nothing_of_envoys_is_told(text: str) -> None:
    """It was not looked at, so it is not clean."""
    assert [one.code for one in findings({"a.yaml": text.encode()}, Settings())] == ["EV002"]


def test_a_bootstrap_that_is_sent_its_listeners_is_told() -> None:
    """Its clusters alone say nothing of requests."""
    planted = Planted()
    del planted.whole["static_resources"]["listeners"]
    assert planted.codes() == ["EV002"]


def _places(node: Any) -> list[tuple[Any, Any]]:
    """Return every place of a tree: what holds it, and under which key."""
    keys = list(node) if isinstance(node, dict) else list(range(len(node))) if isinstance(node, list) else []
    return [place for key in keys for place in ((node, key), *_places(node[key]))]


@given(st.data())
def test_whatever_is_in_a_file_there_is_an_answer(data: st.DataObject) -> None:
    """Anything can stand anywhere; that is Envoy's to refuse, and never a reason to end without a word."""
    planted = Planted()
    for _ in range(3):
        holder, key = data.draw(st.sampled_from(_places(planted.whole)))
        holder[key] = data.draw(st.sampled_from([None, "", 7, True, [], {}, [{}], [[1]], {"a": 1}, {"@type": {}}]))
    assert all(one.code.startswith("EV") for one in planted.found(needs=BODIES))
