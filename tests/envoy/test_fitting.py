"""The numbers and names that make a configuration fit."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.config import Settings
from authz.config.settings import CheckSettings, ClientSettings, RedisSettings, TlsSettings
from authz.envoy.fitting import BODY, Kind, Place, TlsFiles, Wanted, fit, pattern
from authz.errors import SettingsFaults
from authz.policy import Needs
from authz.policy.routing.entries import Route
from authz.policy.routing.routes import template

SIDECAR = Wanted(kind=Kind.SIDECAR, upstream=Place("127.0.0.1", 8080))
SERVICE = Wanted(kind=Kind.SERVICE, upstream=Place("shop", 80))
TLS = TlsSettings(certificate=Path("c.pem"), key=Path("k.pem"))


def body_of(*templates: str, longest: int = 0) -> Needs:
    """Return the needs of documents that read the bodies of these paths."""
    routes = tuple(Route(template=template(one)) for one in templates)
    return Needs(bodies=routes, longest_body=longest)


@pytest.mark.parametrize(
    ("listen", "workers", "places"),
    [
        (("unix:///run/a.sock",), 1, [Place("/run/a.sock")]),
        (("unix:///run/a.sock",), 2, [Place("/run/a-0.sock"), Place("/run/a-1.sock")]),
        (("0.0.0.0:9191", "unix:///run/a.sock"), 1, [Place("/run/a.sock")]),
        (("0.0.0.0:9191",), 4, [Place("127.0.0.1", 9191)]),
        (("[::]:9191",), 1, [Place("::1", 9191)]),
        (("10.0.0.7:9191",), 1, [Place("10.0.0.7", 9191)]),
    ],
)
def test_beside_us_envoy_asks_where_we_listen(listen: tuple[str, ...], workers: int, places: list[Place]) -> None:
    """By socket where there is one, every worker's; TCP is shared by workers."""
    assert list(fit(SIDECAR, Settings(listen=listen, workers=workers), None).places) == places


def test_from_afar_it_asks_the_service() -> None:
    """By its name, at the port that we listen on unless another is given."""
    settings = Settings(listen=("0.0.0.0:9292",))
    assert fit(SERVICE, settings, None).places == (Place("authz.authz.svc.cluster.local", 9292),)
    named = Wanted(kind=Kind.SERVICE, upstream=SERVICE.upstream, authz=Place("authz.example.com", 443))
    assert fit(named, settings, None).places == (Place("authz.example.com", 443),)


@given(st.floats(0.001, 5), st.floats(0, 60))
def test_time_limits_are_in_order(redis: float, inquiry: float) -> None:
    """Row A7: what authz waits for, then Envoy's patience with authz, then the route's."""
    found = fit(SIDECAR, Settings(redis=RedisSettings(timeout=redis)), Needs(inquiry=inquiry))
    assert redis + inquiry < found.timeout < found.route_timeout


def test_without_policies_everything_is_sent() -> None:
    """One of them might read it."""
    found = fit(SIDECAR, Settings(), None)
    assert found.bodies is not None
    assert (found.bodies.longest, found.bodies.paths, found.certificate) == (BODY, None, True)


def test_with_policies_what_they_read_is_sent() -> None:
    """And nothing else."""
    nothing = fit(SIDECAR, Settings(), Needs())
    assert (nothing.bodies, nothing.certificate, nothing.tls_session, nothing.namespaces) == (None, False, False, ())
    names = Needs(metadata=frozenset({"b", "a"}), route_metadata=frozenset({"c"}), certificate=True, tls_session=True)
    found = fit(SIDECAR, Settings(), names)
    assert (found.namespaces, found.route_namespaces) == (("a", "b"), ("c",))
    assert found.certificate
    assert found.tls_session


def test_bodies_are_shown_where_policies_read_them() -> None:
    """Row B11: each path once; a document that governs everything shows them all."""
    found = fit(SIDECAR, Settings(), body_of("/orders", "/files/{id}", "/orders")).bodies
    assert found is not None
    assert found.paths == ("/files/[^/]*/?", "/orders/?")
    everywhere = fit(SIDECAR, Settings(), body_of("/orders", "/**")).bodies
    assert everywhere is not None
    assert everywhere.paths is None


@pytest.mark.parametrize(
    ("longest", "message", "bound"),
    [(0, 4 << 20, BODY), (9, 4 << 20, BODY), (1 << 20, 4 << 20, 1 << 20), (9 << 20, 4 << 20, (4 << 20) - (128 << 10))],
)
def test_a_body_fits_into_a_message(longest: int, message: int, bound: int) -> None:
    """As long as validations accept, as far as a message that is read can hold it beside headers."""
    found = fit(SIDECAR, Settings(check=CheckSettings(max_message=message)), body_of("/a", longest=longest)).bodies
    assert found is not None
    assert found.longest == bound
    small = fit(SIDECAR, Settings(check=CheckSettings(max_message=1024)), None).bodies
    assert small is not None
    assert 0 < small.longest < 1024


@pytest.mark.parametrize(
    ("written", "takes", "leaves"),
    [
        ("/orders", ["/orders", "/orders/"], ["/orders/7", "/order", "/ordersx"]),
        ("/orders/{id}", ["/orders/7", "/orders/a%20b/"], ["/orders", "/orders/7/items"]),
        ("/orders/**", ["/orders", "/orders/", "/orders/7/items"], ["/ordersx"]),
        ("/a.b/*", ["/a.b/c"], ["/axb/c"]),
        ("/[x]/a", ["/%5Bx%5D/a", "/[x]/a"], ["/a"]),
        ("/", ["/"], ["/a"]),
    ],
)
def test_a_pattern_takes_what_the_template_takes(written: str, takes: list[str], leaves: list[str]) -> None:
    """Row B2: at least that, for what is not shown is denied."""
    found = re.compile(pattern(template(written)))
    assert all(found.fullmatch(path) for path in takes)
    assert not any(found.fullmatch(path) for path in leaves)


def test_tls_needs_to_know_whom_it_speaks_to() -> None:
    """Whoever answers for authz decides: without an authority to know it by there is no configuration."""
    with pytest.raises(SettingsFaults, match="--authz-ca"):
        fit(SIDECAR, Settings(tls=TLS), None)
    mutual = Settings(tls=TLS.model_copy(update={"client_ca": Path("ca.pem")}))
    known = Wanted(kind=Kind.SIDECAR, upstream=SIDECAR.upstream, tls=TlsFiles(ca="ca.pem"))
    with pytest.raises(SettingsFaults, match="--authz-certificate"):
        fit(known, mutual, None)
    assert fit(known, Settings(tls=TLS), None).tls == TlsFiles(ca="ca.pem")
    assert fit(SIDECAR, Settings(tls=TLS, listen=("unix:///a.sock",)), None).tls is None


def test_trusted_hops_are_one_number() -> None:
    """The one of the settings."""
    assert fit(SIDECAR, Settings(client=ClientSettings(trusted_hops=2)), None).trusted_hops == 2
