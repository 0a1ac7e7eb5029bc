"""What is beside a service: the sockets it listens on, Redis and its clock, the Envoy that asks it."""

from __future__ import annotations

import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING

from authz.cli.admin import page
from authz.cli.doctor.finding import Finding, fine, odd, wrong
from authz.cli.probe import UNWELL, answers
from authz.envoy.checking import findings
from authz.errors import Severity, Unavailable
from authz.limits.address import Access, asked, redacted, server_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz.config import Settings

WAIT = 2.0
"""Seconds that a socket or Redis may take."""

SKEW = 1.0
"""Seconds by which clocks may differ before it is worth a word."""

ENVOY_PORT = 9901


def sockets(settings: Settings) -> Iterator[Finding]:
    """Yield how each address answers that Envoy is to ask, and who else may."""
    for address in settings.listen:
        if settings.tls.certificate is not None and not address.startswith("unix:"):
            yield odd(address, "speaks TLS, and was not asked", "authz doctor asks in plain text: see admin port above")
            continue
        for one, ill in answers(address, WAIT).items():
            if ill == UNWELL:
                yield wrong(one, "answers, and says that it does not serve", "what is said above of the service is why")
            elif ill:
                yield wrong(one, f"does not answer: {ill}", "is it the address that authz serves (listen)?")
            else:
                yield fine(one, "answers, and says that it serves")
            if one.startswith("unix:"):
                yield from permissions(one, Path("/" + one.removeprefix("unix:").lstrip("/")))


def permissions(address: str, path: Path) -> Iterator[Finding]:
    """Yield who may connect to a Unix socket, where that is too many or too few."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        yield wrong(address, f"can't be looked at: {error.strerror}", "is the folder shared with authz, and readable?")
        return
    if not stat.S_ISSOCK(mode):
        yield wrong(address, "is no socket", "something else lies in its place: remove it")
    elif mode & stat.S_IWOTH:
        yield odd(
            address, f"everybody on this machine may ask (mode {stat.S_IMODE(mode):o})", "chmod o-w, and its folder"
        )
    elif not mode & stat.S_IWGRP:
        remedy = "chmod g+w, with a group that Envoy is in (fsGroup)"
        yield odd(address, f"only its owner may ask (mode {stat.S_IMODE(mode):o})", remedy)


def redis(settings: Settings) -> Iterator[Finding]:
    """Yield how Redis answers, how fast, and how far its clock is from ours."""
    if settings.redis.url is None:
        return
    url = settings.redis.url.get_secret_value()
    access = Access(timeout=WAIT, password_file=settings.redis.password_file)
    about = f"Redis {redacted(url)}"
    if url.startswith("redis+cluster://"):
        yield odd(
            about, "a cluster's nodes are not asked one by one", "see limits above: the service says how it fares"
        )
        return
    try:
        server = server_url(url, access)
        begun = time.monotonic()
        seconds, micros = asked(server, access, "TIME")
        took = time.monotonic() - begun
    except Unavailable as error:
        yield wrong(about, f"does not answer: {error}", "is the URL right, the password, the network policy?")
        return
    yield from answered(about, took, settings.redis.timeout)
    yield clock(about, int(seconds) + int(micros) / 1e6 - time.time(), took)


def answered(about: str, took: float, timeout: float) -> Iterator[Finding]:
    """Yield what it means that Redis took so long, a new connection included."""
    what = f"answers in {took * 1000:.1f} ms, with a new connection"
    if took > timeout:
        yield odd(about, what, f"a check waits {timeout * 1000:g} ms (redis.timeout): bring Redis nearer, or raise it")
    else:
        yield fine(about, what)


def clock(about: str, ahead: float, took: float) -> Finding:
    """Return how far clocks are apart: limits are counted by that of Redis, tokens and records by ours."""
    if abs(ahead) > SKEW + took:
        way = "ahead of" if ahead > 0 else "behind"
        what = f"its clock is {abs(ahead):.1f} s {way} ours"
        return odd(about, what, "run NTP on both: limits count by its clock, tokens and records by ours")
    return fine(about, "its clock is ours")


def envoy(admin: str, settings: Settings) -> Iterator[Finding]:
    """Yield the holes in the configuration that an Envoy has now."""
    try:
        status, content = page(admin, "/config_dump?include_eds", ENVOY_PORT)
    except Unavailable as error:
        yield wrong(f"Envoy {admin}", str(error), "is --envoy-admin the address of Envoy's own admin port?")
        return
    if status != 200:
        yield wrong(f"Envoy {admin}", f"answers {status}", "is --envoy-admin the address of Envoy's own admin port?")
        return
    told = findings({f"{admin}/config_dump": content}, settings)
    found = {(fault.code, fault.message): fault for fault in told}  # a dump shows its bootstrap and what became of it
    for fault in found.values():
        make = wrong if fault.severity is Severity.ERROR else odd
        yield make(f"Envoy {admin}", f"{fault.code} {fault.message}", fault.hint or "authz envoy --check says where")
    if not found:
        yield fine(f"Envoy {admin}", "no hole was found in its configuration")
