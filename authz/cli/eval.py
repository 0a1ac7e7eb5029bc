"""`authz eval`: the whole way of one request, from Envoy's bytes to Envoy's bytes, in this process."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeVar

import typer

from authz.cli.output import Output, say, tell

if TYPE_CHECKING:
    from collections.abc import Callable

    from authz.engine import Limiter
    from authz.model import Outcome
    from authz.server.trying import Claimed, Trying

T = TypeVar("T")


Headers = Annotated[
    list[str] | None, typer.Option("-H", "--header", metavar="NAME: VALUE", help="A header; repeatable.")
]
Content = Annotated[str | None, typer.Option("-d", "--data", help="The body, or @FILE.")]
Subject = Annotated[str | None, typer.Option("--as", help="The subject that providers are to have found.")]
Provider = Annotated[str | None, typer.Option(help="The provider that found --as. [default: the first]")]
Claims = Annotated[str, typer.Option(help="The claims of --as, a JSON object.")]
Ip = Annotated[str, typer.Option(help="The address of the direct peer.")]
At = Annotated[str, typer.Option(help="When, for example 2026-11-23T12:00:00Z. [default: now]")]
Policies = Annotated[list[Path] | None, typer.Option(help="Folder or file of policies. [default: policies]")]


class Typed(NamedTuple):
    """One request as it was typed."""

    method: str
    url: str
    headers: list[str] | None
    body: str | None
    subject: str | None
    provider: str | None
    claims: str
    ip: str
    at: str


def command(  # noqa: PLR0913 - one per flag
    method: Annotated[str, typer.Argument(help="GET, POST, ...; case matters.")],
    url: Annotated[str, typer.Argument(help="https://host/path?query, or a path alone.")],
    *,
    policies: Policies = None,
    headers: Headers = None,
    body: Content = None,
    subject: Subject = None,
    provider: Provider = None,
    claims: Claims = "{}",
    ip: Ip = "127.0.0.1",
    at: At = "",
    output: Annotated[Output, typer.Option(help="Who reads the decision.")] = Output.PRETTY,
) -> None:
    """Decide one request and show what the caller would see; limits start out whole.

    The answer goes to standard output, why it is so to standard error. Exits 0 whatever the decision.
    """
    from authz.cli import answer  # noqa: PLC0415 - see the package's docstring

    _, got, outcome = tried(Typed(method, url, headers, body, subject, provider, claims, ip, at), policies)
    if output is Output.JSON:
        say(json.dumps(answer.data(got, outcome), indent=2))
    else:
        say(answer.pretty(got))
        tell(answer.why(outcome))


def tried(typed: Typed, policies: list[Path] | None, limiter: Limiter | None = None) -> tuple[Trying, bytes, Outcome]:
    """Decide a request that was typed, by what `limiter` has counted or nothing; return also what can explain it."""
    from authz.cli import request  # noqa: PLC0415 - see the package's docstring
    from authz.server.deciding import policies_in  # noqa: PLC0415
    from authz.server.trying import Trying  # noqa: PLC0415

    moment = _read("--at", _moment, typed.at) if typed.at else time.time()
    asked = request.Asked(
        method=typed.method,
        url=_read("url", request.target, typed.url),
        headers=tuple(_read("--header", request.header, one) for one in typed.headers or ()),
        body=None if typed.body is None else _read("--data", request.content, typed.body),
        ip=str(_read("--ip", ip_address, typed.ip)),
        time=moment,
    )
    identifier = _claimed(typed)
    trying = Trying(policies_in(policies or [Path("policies")]), limiter=limiter)
    got, outcome = trying.request(request.message(asked), identifier, moment)
    if identifier is not None and identifier.unasked:
        tell(identifier.unasked)
    return trying, got, outcome


def _claimed(typed: Typed) -> Claimed | None:
    from authz.server.trying import Claimed  # noqa: PLC0415 - see the package's docstring

    if typed.subject is None:
        if typed.provider is not None:
            raise typer.BadParameter("says who found --as, which is missing", param_hint="--provider")
        if typed.claims != "{}":
            raise typer.BadParameter("says more of --as, which is missing", param_hint="--claims")
        return None
    return Claimed(typed.subject, _read("--claims", _object, typed.claims), typed.provider)


def _read(option: str, read: Callable[[str], T], text: str) -> T:
    try:
        return read(text)
    except OSError as error:
        raise typer.BadParameter(f"can't read {error.filename}: {error.strerror}", param_hint=option) from error
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from error


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ValueError(f"is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise ValueError('is no JSON object: write for example \'{"scope": "orders:read"}\'')
    return value


def _moment(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f'"{text}" is no time: write for example 2026-11-23T12:00:00Z') from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
