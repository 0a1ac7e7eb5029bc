"""`authz envoy`: Envoy's configuration, made so that it fits settings and policies, or looked through for holes.

Envoy's own messages come with the extra `envoy`; looking through a configuration needs none.
"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from authz.cli.flags import with_settings
from authz.cli.output import Exit, say, tell
from authz.cli.reports import Report, report
from authz.config import load
from authz.config.values import tcp_address
from authz.envoy.fitting import Kind, Place, TlsFiles, Wanted
from authz.errors import Severity, Unavailable
from authz.files import streamed, whole
from authz.words import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from authz.config import Loaded, Settings
    from authz.errors import Fault
    from authz.policy import Needs

_STDIN = "-"
_DEFAULT_UPSTREAM = {Kind.SIDECAR: "127.0.0.1:8080", Kind.SERVICE: "shop.shop.svc.cluster.local:80"}


class _Asked(NamedTuple):
    """What the options say of the configuration to make."""

    listen_port: int
    admin_port: int
    upstream: str | None
    upstream_http2: bool
    authz: str | None
    tls: TlsFiles | None


@with_settings
def command(  # noqa: PLR0913 - one per flag
    *,
    flags: dict[str, str | tuple[str, ...]],
    what: Annotated[
        list[str] | None,
        typer.Argument(metavar="[sidecar|service|FILE...]", help="Where authz is; with --check: files, - is stdin."),
    ] = None,
    bootstrap: Annotated[bool, typer.Option("--bootstrap", help="Print a configuration that runs as it is.")] = False,
    snippet: Annotated[bool, typer.Option("--snippet", help="Print the filter and the cluster, to paste.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Say what in files lets requests in, or breaks.")] = False,
    accept: Annotated[
        list[str] | None, typer.Option("--accept", metavar="CODE", help="A finding that is meant to be; repeatable.")
    ] = None,
    output: Annotated[Report, typer.Option(help="Who reads what --check finds.")] = Report.PRETTY,
    listen_port: Annotated[int, typer.Option(min=1, max=65535, help="Where Envoy listens for the world.")] = 10000,
    admin_port: Annotated[int, typer.Option(min=1, max=65535, help="Envoy's own admin port, on loopback.")] = 9901,
    upstream: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="The application behind Envoy.")] = None,
    upstream_http2: Annotated[bool, typer.Option("--upstream-http2", help="The application speaks HTTP/2.")] = False,
    authz: Annotated[
        str | None, typer.Option(metavar="HOST[:PORT]", help="Where a service is found. Left out: by its Service.")
    ] = None,
    authz_ca: Annotated[str | None, typer.Option(metavar="FILE", help="Authority that Envoy knows authz by.")] = None,
    authz_certificate: Annotated[str | None, typer.Option(metavar="FILE", help="Envoy's own certificate.")] = None,
    authz_key: Annotated[str | None, typer.Option(metavar="FILE", help="Its private key.")] = None,
    config: Annotated[Path | None, typer.Option("--config", metavar="FILE", help="Settings in YAML.")] = None,
) -> None:
    """Make Envoy's configuration, or check one: --bootstrap, --snippet or --check.

    It fits the settings, and with --policies the policies: bodies are shown where they are read, certificates and
    metadata are sent if they are read. --check exits 3 if there is any finding.
    """
    loaded = load(file=config, environment=os.environ, flags=flags)
    if [bootstrap, snippet, check].count(True) != 1:
        raise typer.BadParameter("give one of --bootstrap, --snippet and --check")
    if check:
        raise typer.Exit(_check(what or [], loaded, output, frozenset(accept or ())))
    tls = TlsFiles(ca=authz_ca, certificate=authz_certificate, key=authz_key) if authz_ca else None
    asked = _Asked(listen_port, admin_port, upstream, upstream_http2, authz, tls)
    _make(_wanted(what or ["sidecar"], asked), loaded, whole=bootstrap)


def _check(names: list[str], loaded: Loaded, output: Report, accepted: frozenset[str]) -> Exit:
    from authz.envoy.checking import findings  # noqa: PLC0415 - see the package's docstring
    from authz.envoy.codes import CODES  # noqa: PLC0415

    if not names:
        raise typer.BadParameter("--check wants files; - is standard input")
    if unknown := sorted(accepted - {one.code for one in CODES}):
        raise typer.BadParameter(f"--accept {unknown[0]}: there is no such finding")
    found = findings({_shown(name): _content(name) for name in names}, loaded.settings, _needs(loaded))
    left = [fault for fault in found if fault.code not in accepted]
    if text := report(left, output):
        say(text)
    tell(_summary(len(names), left, len(found) - len(left)))
    return Exit.POLICIES if left else Exit.FINE


def _summary(files: int, left: list[Fault], accepted: int) -> str:
    errors = sum(fault.severity is Severity.ERROR for fault in left)
    told = f"{counted(errors, 'error')}, {counted(len(left) - errors, 'warning')}" if left else "nothing found"
    return f"{counted(files, 'file')} read, {told}" + (f", {accepted} accepted" if accepted else "")


def _shown(name: str) -> str:
    return "standard input" if name == _STDIN else name


def _content(name: str) -> bytes:
    if name == _STDIN and sys.stdin is None:
        raise Unavailable("can't read standard input: it is closed")
    try:
        return streamed(sys.stdin.buffer, _shown(name)) if name == _STDIN else whole(Path(name))
    except OSError as error:
        raise typer.BadParameter(f"can't read {name}: {error.strerror}") from error


def _make(wanted: Wanted, loaded: Loaded, *, whole: bool) -> None:
    try:
        from authz.envoy import generating  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise Unavailable("to make a configuration needs the extra: pip install 'envoy-cel-authz[envoy]'") from error
    make: Callable[[Wanted, Settings, Needs | None, str], str]
    make = generating.bootstrap if whole else generating.snippet
    say(make(wanted, loaded.settings, _needs(loaded), _about(wanted, whole=whole)).rstrip())


def _wanted(what: list[str], asked: _Asked) -> Wanted:
    if len(what) != 1 or what[0] not in list(Kind):
        raise typer.BadParameter(f"{shlex.join(what)} is neither sidecar nor service")
    kind = Kind(what[0])
    more = {} if asked.authz is None else {"authz": _place(asked.authz, "--authz")}
    return Wanted(
        kind=kind,
        listen_port=asked.listen_port,
        admin_port=asked.admin_port,
        upstream=_place(asked.upstream or _DEFAULT_UPSTREAM[kind], "--upstream"),
        upstream_http2=asked.upstream_http2,
        tls=asked.tls,
        **more,
    )


def _place(text: str, option: str) -> Place:
    """Read a place to connect to; the port of authz itself may be left to the settings."""
    try:
        host, _, port = (tcp_address(text if ":" in text or option == "--upstream" else f"{text}:0") or "").rpartition(
            ":"
        )
    except ValueError as error:
        raise typer.BadParameter(f"{option}: {error}") from error
    return Place(host.strip("[]"), int(port))


def _needs(loaded: Loaded) -> Needs | None:
    """Return what the policies need, if any are named; raises `PolicyFaults` where they have faults."""
    from authz.server.deciding import policies_in  # noqa: PLC0415 - only where there are policies

    if "policies" not in loaded.origins:
        return None
    return policies_in(loaded.settings.policies, loaded.settings.engine).needs


def _about(wanted: Wanted, *, whole: bool) -> str:
    """Return the first lines: what this is, and the command that made it."""
    made = shlex.join(["authz", *sys.argv[1:]])
    return "\n".join([*(_WHOLE[wanted.kind] if whole else _PARTS), "", f"Made by `{made}`.", *_CLOSED])


_WHOLE = {
    Kind.SIDECAR: (
        "Envoy beside one application: it listens for the world, asks authz beside it, and passes what is allowed to",
        "the application. Runs as it is: envoy -c FILE",
    ),
    Kind.SERVICE: (
        "Envoy before many applications, asking authz by its own Service: it listens for the world, asks one of the",
        "pods, and passes what is allowed on. Runs as it is: envoy -c FILE",
    ),
}
_PARTS = (
    "The filter goes into the HTTP connection manager, before the router and before everything that answers by itself;",
    "the three fields above it go beside it. The cluster goes among the clusters.",
)
_CLOSED = ('What keeps it closed is marked "closed:".',)
