"""The texts that settings are written as, read into values: `20ms`, `4MiB`, `unix:///run/authz.sock`.

A file, the environment and the command line all give text, so one reading serves the three. A number that has a
unit is never bare: `timeout: 5` is refused, not guessed at. Pure; a value that can't be read raises `ValueError`.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, SecretStr, WithJsonSchema

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {"B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", re.ASCII)
_SIZE = re.compile(r"(\d+)(B|KiB|MiB|GiB)", re.ASCII)
_HOST_PORT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):([0-9]{1,5})")
_HOST_NAME = re.compile(r"(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*", re.ASCII)
_UNIX = re.compile(r"unix:(?://(?=/))?(/[^/].*)")
LONGEST_SOCKET = 107  # bytes: sockaddr_un.sun_path holds 108 with the NUL
REDIS_SCHEMES = ("redis", "rediss", "unix", "redis+sentinel", "redis+cluster")


def seconds(value: object) -> object:
    """Read `20ms`, `1.5s`, `5m`, `24h` or `7d` as seconds; a number from Python code is seconds already."""
    if not isinstance(value, str):
        return value
    if value == "0":
        return 0.0
    match = _DURATION.fullmatch(value)
    if match is None:
        raise ValueError(f'"{value}" is no duration: {_unit_hint(value)} for example 20ms, 5s, 10m, 24h')
    return float(match[1]) * _SECONDS[match[2]]


def duration_text(value: float) -> str:
    """Write seconds the way they are set, in the largest unit that keeps them whole."""
    for unit in ("d", "h", "m", "s"):
        count = value / _SECONDS[unit]
        if count >= 1 and count == int(count):
            return f"{int(count)}{unit}"
    return "0s" if value == 0 else f"{value * 1000:.10g}ms"


def size(value: object) -> object:
    """Read `512B`, `64KiB`, `4MiB` or `1GiB` as bytes; a number from Python code is bytes already."""
    if not isinstance(value, str):
        return value
    match = _SIZE.fullmatch(value)
    if match is None:
        raise ValueError(f'"{value}" is no size: {_unit_hint(value)} for example 512B, 64KiB, 4MiB')
    return int(match[1]) * _BYTES[match[2]]


def size_text(value: int) -> str:
    """Write bytes the way they are set, in the largest unit that keeps them whole."""
    unit = next(unit for unit in reversed(_BYTES) if value % _BYTES[unit] == 0 and value >= _BYTES[unit])
    return f"{value // _BYTES[unit]}{unit}"


def address(value: str) -> str:
    """Check a place to listen: `127.0.0.1:9191`, `[::1]:9191` or `unix:///run/authz/authz.sock`."""
    unix = _UNIX.fullmatch(value)
    if unix is not None:
        if long := too_long(unix[1]):
            raise ValueError(f'"{value}" {long}')
        return f"unix://{unix[1]}"
    match = _HOST_PORT.fullmatch(value)
    if match is None or int(match[2]) > 65535:
        raise ValueError(f'"{value}" is no address: write host:port, [ipv6]:port or unix:///path')
    return value


def too_long(path: str) -> str:
    """Say that a path is too long for a Unix socket; nothing where it is not."""
    count = len(path.encode(errors="surrogateescape"))
    if count <= LONGEST_SOCKET:
        return ""
    return f"is too long: the path of a Unix socket has at most {LONGEST_SOCKET} bytes, and this has {count}"


def tcp_address(value: str | None) -> str | None:
    """Check a place that browsers and probes can reach: `127.0.0.1:9192`; `None` is none."""
    if value is not None and address(value).startswith("unix:"):
        raise ValueError(f'"{value}" is no TCP address: write host:port, [ipv6]:port or off')
    return value


def host_name(value: str) -> str:
    """Check a name that a server may be asked by: `authz.example.com`, or `*.example.com` for all below it."""
    if _HOST_NAME.fullmatch(value.lower()) is None:
        raise ValueError(f'"{value}" is no host name: write authz.example.com or *.example.com, without a port')
    return value.lower()


def network(value: object) -> IPv4Network | IPv6Network:
    """Read a network; an address alone is one of one."""
    try:
        return ip_network(str(value))
    except ValueError:
        raise ValueError(f'"{value}" is no network: {_network_hint(str(value))}') from None


def redis_url(value: SecretStr) -> SecretStr:
    """Check the form of a Redis URL without ever repeating it: it may hold a password."""
    scheme = value.get_secret_value().partition("://")[0]
    if scheme not in REDIS_SCHEMES or "://" not in value.get_secret_value():
        raise ValueError("is no Redis URL: it begins with " + ", ".join(f"{known}://" for known in REDIS_SCHEMES))
    return value


def redacted(url: str) -> str:
    """Write a URL without its password."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    return url.replace(parts.netloc, f"{parts.username or ''}:***@{parts.netloc.rpartition('@')[2]}", 1)


def _unit_hint(value: str) -> str:
    return "it has no unit, write" if value.replace(".", "", 1).isdecimal() else "write"


def _network_hint(value: str) -> str:
    try:
        return f"it has bits set behind its prefix, write {ip_network(value, strict=False)}"
    except ValueError:
        return "write for example 10.0.0.0/8 or 2001:db8::/32"


def _off(value: object) -> object:
    return None if value == "off" else value


Duration = Annotated[
    float,
    BeforeValidator(seconds),
    PlainSerializer(duration_text, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{_DURATION.pattern}$|^0$"}),
]
"""Seconds, written with a unit."""

Size = Annotated[
    int,
    BeforeValidator(size),
    PlainSerializer(size_text, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{_SIZE.pattern}$"}),
]
"""Bytes, written with a unit."""

Address = Annotated[str, AfterValidator(address), WithJsonSchema({"type": "string"})]
"""Where to listen: TCP or a Unix socket."""

HostName = Annotated[str, AfterValidator(host_name), WithJsonSchema({"type": "string"})]
"""A name to be asked by, or `*.` and a name for all below it."""

Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(network)]
"""Addresses that share a prefix."""

TcpAddressOrOff = Annotated[
    str | None,
    BeforeValidator(_off),
    AfterValidator(tcp_address),
    PlainSerializer(lambda value: value or "off", return_type=str),
    WithJsonSchema({"type": "string"}),
]
"""Where to listen by TCP, or `off`."""

RedisUrl = Annotated[
    SecretStr,
    AfterValidator(redis_url),
    PlainSerializer(lambda url: redacted(url.get_secret_value()), return_type=str),
]
"""Where Redis is; printed without the password."""
