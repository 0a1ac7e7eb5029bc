"""The objects of a process, as settings want them."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import grpc
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from authz._pb.envoy.service.auth.v3.external_auth_pb2 import CheckRequest, CheckResponse
from authz.audit import verify
from authz.config import Settings, load
from authz.errors import Unavailable
from authz.limits.memory import MemoryLimiter
from authz.limits.redis import RedisLimiter
from authz.model import Charge, Limit
from authz.server.building import build, limiter
from authz.server.secret import key_in
from authz.store.signatures import sign
from authz.transport.service import CHECK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from authz.server.process import Process

POLICY = """
apiVersion: authz/v1
kind: Policy
metadata: {name: all}
spec:
  match: [{paths: ["/**"]}]
  rules: [{name: everybody, allow: "true"}]
  limits: [{name: each, rate: 3/minute}]
"""


@contextmanager
def running(process: Process) -> Iterator[None]:
    """Start a process and stop it."""
    process.start()
    try:
        yield
    finally:
        process.stop(1.0)


def _request(forwarded: str = "") -> bytes:
    request = CheckRequest()
    http = request.attributes.request.http
    http.method, http.path, http.host, http.scheme, http.protocol = "GET", "/a", "example.com", "https", "HTTP/1.1"
    if forwarded:
        http.headers["x-forwarded-for"] = forwarded
    return request.SerializeToString()


def _settings(tmp_path: Path, **flags: str | tuple[str, ...]) -> Settings:
    given = {"listen": (f"unix://{tmp_path}/authz.sock",), "record.sink": "off", "transport": "aio", **flags}
    return load(environment={}, flags=given).settings


@pytest.mark.parametrize(
    ("workers", "listen", "worker", "expected"),
    [
        ("1", "unix:///run/authz.sock", 0, "unix:///run/authz.sock"),
        ("2", "unix:///run/authz.sock", 1, "unix:///run/authz-1.sock"),
        ("2", "unix:///run.d/authz", 0, "unix:///run.d/authz-0"),
        ("2", "127.0.0.1:9191", 1, "127.0.0.1:9191"),
    ],
)
def test_workers_share_ports_and_have_sockets_of_their_own(
    workers: str, listen: str, worker: int, expected: str, tmp_path: Path
) -> None:
    """A Unix path gets the worker's number before its suffix; a single process keeps it as it is."""
    process = build(_settings(tmp_path, workers=workers, listen=(listen,)), worker)
    assert process.status()["listen"] == [expected]


def test_a_process_that_was_only_built_serves_nothing(tmp_path: Path) -> None:
    """Building starts nothing and denies everything."""
    process = build(_settings(tmp_path))
    assert not process.ready()
    assert (process.status()["generation"], process.status()["policy_digest"]) == (0, "")
    assert list(tmp_path.iterdir()) == []


def test_limits_are_counted_in_redis_where_there_is_one(tmp_path: Path) -> None:
    """Else in memory."""
    assert isinstance(limiter(_settings(tmp_path)), MemoryLimiter)
    (tmp_path / "secret").write_text("s" * 1000)
    flags = {"redis.url": "redis://127.0.0.1:1", "redis.secret_file": str(tmp_path / "secret")}
    redis = limiter(_settings(tmp_path, **flags))
    redis.start()
    redis.close()
    assert isinstance(redis, RedisLimiter)


def test_a_process_without_redis_takes_its_share_among_workers_and_replicas(tmp_path: Path) -> None:
    """Two workers in each of three replicas: a sixth of the limit each."""
    flags = {"redis.url": "redis://127.0.0.1:1", "redis.replicas": "3", "workers": "2"}
    redis = limiter(_settings(tmp_path, **flags))
    charge = Charge(limit=Limit(name="o/each", requests=12, period=3600.0), key=())
    admitted: list[bool] = []
    for _ in range(12):
        redis.charge([charge], time.monotonic() + 1, lambda usage: admitted.append(usage.admitted))
    redis.close()
    assert admitted == [True, True] + [False] * 10


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ((), ["ratelimit-policy", "ratelimit"]),
        (("legacy",), ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"]),
        (("off",), []),
    ],
)
def test_callers_are_told_about_limits_as_settings_say(
    headers: tuple[str, ...], told: list[str], tmp_path: Path
) -> None:
    """By default in the IETF's draft; `off` tells nothing."""
    (tmp_path / "p.yaml").write_text(POLICY)
    flags: dict[str, str | tuple[str, ...]] = {"policies": (str(tmp_path),), "admin": "off"}
    process = build(_settings(tmp_path, **flags, **({"limits.headers": headers} if headers else {})))
    with running(process), grpc.insecure_channel(f"unix:{tmp_path}/authz.sock") as channel:
        response = CheckResponse.FromString(channel.unary_unary(CHECK)(_request(), timeout=5))
    assert [option.header.key for option in response.ok_response.response_headers_to_add] == told


@pytest.mark.parametrize(("content", "told"), [(None, "No such file"), (b" \n", "it is empty")])
def test_a_secret_that_cannot_be_had_is_told(content: bytes | None, told: str, tmp_path: Path) -> None:
    """Hashes are never keyed with nothing where a key was asked for."""
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    settings = _settings(tmp_path, **{"redis.url": "redis://h", "redis.secret_file": str(tmp_path / "secret")})
    with pytest.raises(Unavailable, match=told):
        limiter(settings)


def test_what_the_settings_say_of_callers_reaches_the_decision(tmp_path: Path) -> None:
    """Who `client.ip` is and where; proxies that name nobody are counted, and the age of the file is shown."""
    writer = MMDBWriter(4, "GeoLite2-Country")
    writer.insert_network(IPSet(["203.0.113.0/24"]), {"country": {"iso_code": "DE"}})
    writer.to_db_file(str(tmp_path / "country.mmdb"))
    (tmp_path / "a.yaml").write_text(
        "apiVersion: authz/v1\nkind: Policy\nmetadata: {name: a}\nspec:\n  match: [{paths: [/**]}]\n"
        "  rules: [{name: near, allow: 'client.geo.country == \"DE\"'}]\n"
    )
    flags = {"client.trusted_hops": "1", "geoip.country": str(tmp_path / "country.mmdb")}
    process = build(_settings(tmp_path, policies=(str(tmp_path / "a.yaml"),), **flags))
    with running(process), grpc.insecure_channel(f"unix:{tmp_path}/authz.sock") as channel:
        check = channel.unary_unary(CHECK, response_deserializer=CheckResponse.FromString)
        forwarded = ("203.0.113.9", "198.51.100.1", "evil")
        codes = [check(_request(caller), timeout=5).status.code for caller in forwarded]
    assert codes == [0, 7, 7]
    page = process.metrics().decode()
    assert "authz_client_unreadable_total 1.0" in page
    assert 'authz_geoip_built_timestamp_seconds{file="country"}' in page
    assert process.status()["geoip"]["country"]["type"] == "GeoLite2-Country"  # type: ignore[index]


def test_policies_have_to_be_signed_where_a_key_is_given(tmp_path: Path) -> None:
    """What is not signed does not come into force; what is no key does not even start."""
    folder = tmp_path / "p"
    folder.mkdir()
    (folder / "p.yaml").write_text(POLICY)
    key, public = Ed25519PrivateKey.generate(), tmp_path / "public.pem"
    flags: dict[str, str | tuple[str, ...]] = {"policies": (str(folder),), "admin": "off"}
    flags["reload.verify_keys"] = (str(public),)
    with pytest.raises(Unavailable, match=r"can't read .*public\.pem: No such file"):
        build(_settings(tmp_path, **flags))
    public.write_text("no key")
    with pytest.raises(Unavailable, match=r"public\.pem: is no public key of Ed25519"):
        build(_settings(tmp_path, **flags))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with running(process := build(_settings(tmp_path, **flags))):
        assert (process.ready(), process.status()["generation"]) == (False, 0)
    (folder / ".signature.json").write_bytes(sign({"p.yaml": POLICY.encode()}, key))
    with running(process := build(_settings(tmp_path, **flags))):
        assert process.ready()


def test_records_are_chained_with_the_key_of_fingerprints(tmp_path: Path) -> None:
    """`record.chain` links what is written to the file, and `/status` says its last hash."""
    file, key = tmp_path / "records", tmp_path / "key"
    key.write_text("secret\n")
    flags = {"record.sink": str(file), "record.chain": "true", "record.key_file": str(key)}
    (tmp_path / "a.yaml").write_text(POLICY)
    process = build(_settings(tmp_path, policies=(str(tmp_path / "a.yaml"),), **flags))
    with running(process), grpc.insecure_channel(f"unix:{tmp_path}/authz.sock") as channel:
        channel.unary_unary(CHECK)(_request(), timeout=5)
    verdict = verify(file.read_bytes().splitlines(keepends=True), key_in(key))
    assert (verdict.wrong, verdict.records > 0) == (None, True)
    assert process.status()["records"]["last_hash"] == verdict.last  # type: ignore[index]
