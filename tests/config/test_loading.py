"""One source over the other, all faults at once, no secret shown."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from authz.config import load
from authz.errors import SettingsFaults

LONG = "is too long: the path of a Unix socket has at most 107 bytes, and this has 108"
TRUSTED = "client.trusted_networks"


def _faults(*, content: str = "", environment: dict[str, str] | None = None, tmp_path: Path) -> list[str]:
    file = tmp_path / "authz.yaml"
    file.write_text(content)
    with pytest.raises(SettingsFaults) as raised:
        load(file=file, environment=environment or {}, flags={})
    return [str(fault).splitlines()[0].replace(f"{file}:", "") for fault in raised.value.faults]


def test_the_later_source_wins(tmp_path: Path) -> None:
    """Flags win over the environment, the environment over the file, the file over the defaults."""
    file = tmp_path / "authz.yaml"
    file.write_text("workers: 2\nlog_level: error\ndrain: 1s\n")
    loaded = load(file=file, environment={"AUTHZ_WORKERS": "3", "AUTHZ_DRAIN": "2s"}, flags={"workers": "4"})
    settings = loaded.settings
    assert (settings.workers, settings.drain, settings.log_level, settings.transport) == (4, 2.0, "error", "auto")
    origins = {name: origin for name, _, origin in loaded.rows()}
    assert (origins["workers"], origins["drain"], origins["log_level"], origins["transport"]) == (
        "--workers", "AUTHZ_DRAIN", f"{file}:2", "default",
    )  # fmt: skip


def test_a_list_of_a_later_source_replaces_the_whole_list(tmp_path: Path) -> None:
    """Lists are not joined: what a flag names is all there is."""
    file = tmp_path / "authz.yaml"
    file.write_text("policies: [a, b]")
    assert load(file=file, environment={}, flags={"policies": ("c",)}).settings.policies == (Path("c"),)


def test_one_text_is_a_list_of_one(tmp_path: Path) -> None:
    """`listen: ADDRESS` needs no brackets."""
    file = tmp_path / "authz.yaml"
    file.write_text("listen: unix:///run/authz.sock")
    assert load(file=file, environment={}, flags={}).settings.listen == ("unix:///run/authz.sock",)


def test_a_variable_may_name_the_file(tmp_path: Path) -> None:
    """`AUTHZ_CONFIG` stands for `--config`."""
    file = tmp_path / "authz.yaml"
    file.write_text("workers: 7")
    assert load(environment={"AUTHZ_CONFIG": str(file)}, flags={}).settings.workers == 7


def test_every_fault_of_every_source_is_told_at_once(tmp_path: Path) -> None:
    """One run shows all that is to be mended."""
    content = "redis:\n  timeout: 20\nwrokers: 1\ntransport: fats\n"
    assert _faults(content=content, environment={"AUTHZ_WORKERS": "0", "AUTHZ_DRIAN": "1s"}, tmp_path=tmp_path) == [
        '2:12: redis.timeout: "20" is no duration: it has no unit, write for example 20ms, 5s, 10m, 24h',
        '3:1: unknown setting "wrokers" (did you mean "workers"?)',
        '4:12: transport: "fats" is none of auto, fast, aio (did you mean "fast"?)',
        'AUTHZ_DRIAN: is no setting (did you mean "AUTHZ_DRAIN"?)',
        "AUTHZ_WORKERS: workers: should be greater than or equal to 1",
    ]


def test_what_is_wrong_in_a_list_is_told_once(tmp_path: Path) -> None:
    """A list is not called too short for want of the member that is told already; an empty one is."""
    faults = _faults(content="listen: ['9191']\nclient: {trusted_networks: [a, b]}", tmp_path=tmp_path)
    assert [fault.partition(" is ")[0] for fault in faults] == [
        '1:9: listen: "9191"',
        '2:28: client.trusted_networks: "a"',
        '2:28: client.trusted_networks: "b"',
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("tls: {key: a}", "1:12: tls.certificate and tls.key go together"),
        ("tls: {client_ca: a}", "1:18: tls.client_ca needs tls.certificate and tls.key"),
        ("redis: {password_file: a}", "1:24: redis.password_file needs redis.url"),
        ("redis: {secret_file: a}", "1:22: redis.secret_file needs redis.url"),
        (
            "client: {trusted_hops: 1, trusted_networks: [10.0.0.0/8]}",
            "1:24: client.trusted_hops and client.trusted_networks exclude each other",
        ),
        (
            "client: {trusted_networks: 10.0.0.1/8}",
            f'1:28: {TRUSTED}: "10.0.0.1/8" is no network: it has bits set behind its prefix, write 10.0.0.0/8',
        ),
        (
            "client: {trusted_networks: [10.0.0.0/33]}",
            f'1:28: {TRUSTED}: "10.0.0.0/33" is no network: write for example 10.0.0.0/8 or 2001:db8::/32',
        ),
        ("record: {allow: 2}", "1:17: record.allow: should be less than or equal to 1"),
        ("record: {allow: nan}", "1:17: record.allow: should be a finite number"),
        ("workers: many", '1:10: workers: "many" is no whole number'),
        ("record: {deny: most}", '1:16: record.deny: "most" is no number'),
        ("reload: {require_tests: perhaps}", '1:25: reload.require_tests: "perhaps" is neither true nor false'),
        ("admin: unix:///a", '1:8: admin: "unix:///a" is no TCP address: write host:port, [ipv6]:port or off'),
        (
            f"listen: 'unix:///{'x' * 107}'",
            f'1:9: "unix:///{"x" * 107}" {LONG}',
        ),
        (
            f"{{workers: 11, listen: 'unix:///{'x' * 104}'}}",
            f'1:11: workers: each has a socket of its own, and "unix:///{"x" * 104}" with a number {LONG}',
        ),
        ("listen: ['9191']", '1:9: "9191" is no address: write host:port, [ipv6]:port or unix:///path'),
    ],
)
def test_what_does_not_go_together_is_a_fault(content: str, expected: str, tmp_path: Path) -> None:
    """A fault of several settings is told at one of them."""
    assert expected in [fault.replace("listen: ", "") for fault in _faults(content=content, tmp_path=tmp_path)]


@pytest.mark.parametrize(
    ("content", "expected"), [(None, "can't be read: No such file or directory"), (b"\xff", "is no UTF-8 text")]
)
def test_a_file_that_cannot_be_read_is_a_fault(content: bytes | None, expected: str, tmp_path: Path) -> None:
    """A settings file that is named must be there."""
    file = tmp_path / "authz.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsFaults) as raised:
        load(file=file, environment={}, flags={})
    assert str(raised.value) == f"{file}: {expected}"


def test_no_secret_is_ever_printed() -> None:
    """The password of a Redis URL is in no row and no representation (row O2)."""
    loaded = load(environment={"AUTHZ_REDIS_URL": "redis://u:canary@h:1/0"}, flags={})
    assert loaded.settings.redis.url == SecretStr("redis://u:canary@h:1/0")
    assert ("redis.url", "redis://u:***@h:1/0", "AUTHZ_REDIS_URL") in list(loaded.rows())
    assert "canary" not in repr(loaded)
    assert "canary" not in loaded.settings.model_dump_json()


def test_a_faulty_secret_is_not_repeated() -> None:
    """A URL of no known scheme is refused without being shown (row O2)."""
    with pytest.raises(SettingsFaults) as raised:
        load(environment={"AUTHZ_REDIS_URL": "htp://u:canary@h"}, flags={})
    assert "canary" not in str(raised.value)


def test_variables_that_are_no_settings_are_named() -> None:
    """Who starts the service can say that it saw them."""
    assert load(environment={"AUTHZ_JUMPS_OVER": "1"}, flags={}).ignored == ("AUTHZ_JUMPS_OVER",)
