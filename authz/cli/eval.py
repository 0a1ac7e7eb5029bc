"""`authz eval`: the whole way of one request, from Envoy's bytes to Envoy's bytes, in this process."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from authz.cli.output import Output, say, tell

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from authz.engine import Engine
    from authz.model import Identity, Outcome, Request
    from authz.policy import Identifier

T = TypeVar("T")


def command(  # noqa: PLR0913 - one per flag
    method: Annotated[str, typer.Argument(help="GET, POST, ...; case matters.")],
    url: Annotated[str, typer.Argument(help="https://host/path?query, or a path alone.")],
    *,
    policies: Annotated[list[Path] | None, typer.Option(help="Folder or file of policies. [default: policies]")] = None,
    headers: Annotated[list[str] | None, typer.Option("-H", "--header", metavar="NAME: VALUE")] = None,
    body: Annotated[str | None, typer.Option("-d", "--data", help="The body, or @FILE.")] = None,
    subject: Annotated[str | None, typer.Option("--as", help="The subject that providers are to have found.")] = None,
    claims: Annotated[str, typer.Option(help="The claims of --as, a JSON object.")] = "{}",
    ip: Annotated[str, typer.Option(help="The address of the direct peer.")] = "127.0.0.1",
    at: Annotated[str, typer.Option(help="When, for example 2026-11-23T12:00:00Z. [default: now]")] = "",
    output: Annotated[Output, typer.Option(help="Who reads the decision.")] = Output.PRETTY,
) -> None:
    """Decide one request and show what the caller would see; limits start out whole.

    The answer goes to standard output, why it is so to standard error. Exits 0 whatever the decision.
    """
    from authz.cli import answer, request  # noqa: PLC0415 - see the package's docstring

    moment = _moment(at)
    asked = request.Asked(
        method=method,
        url=url,
        headers=tuple(_read(request.header, one) for one in headers or ()),
        body=None if body is None else _read(request.content, body),
        ip=ip,
        time=moment,
    )
    identifier = None if subject is None else _Claimed(subject, _object(claims))
    got, outcome = _decide(policies or [Path("policies")], request.message(asked), identifier, moment)
    if identifier is not None and not identifier.asked:
        tell("the policies of this request name no identity provider: --as says nothing to them")
    if output is Output.JSON:
        say(json.dumps(answer.data(got, outcome), indent=2))
    else:
        say(answer.pretty(got))
        tell(answer.why(outcome))


def _decide(
    policies: Sequence[Path], message: bytes, identifier: Identifier | None, moment: float
) -> tuple[bytes, Outcome]:
    outcomes: list[Outcome] = []
    call = _Call()
    _engine(policies, identifier, outcomes.append, moment).check(message, call)
    return call.response, outcomes[0]


def _engine(
    policies: Sequence[Path], identifier: Identifier | None, observe: Callable[[Outcome], None], moment: float
) -> Engine:
    """Return the service's own engine, over policies that are read once and limits in memory."""
    from authz.config.settings import ClientSettings  # noqa: PLC0415 - see the package's docstring
    from authz.engine import Engine  # noqa: PLC0415
    from authz.errors import PolicyFaults  # noqa: PLC0415
    from authz.limits.memory import MemoryLimiter  # noqa: PLC0415
    from authz.server.client import client_ip  # noqa: PLC0415
    from authz.server.deciding import compiler, parts  # noqa: PLC0415
    from authz.store import Snapshot, read  # noqa: PLC0415
    from authz.wire import LimitHeaders  # noqa: PLC0415

    reading = read(policies)
    if reading.faults:
        raise PolicyFaults(reading.faults)
    snapshot = Snapshot(policies=compiler("auto").compile(reading.files), generation=1, loaded_at=moment)
    made = parts(
        snapshot=lambda: snapshot,
        limiter=MemoryLimiter(clock=lambda: moment),
        client_ip=client_ip(ClientSettings()),
        fault=_raise,
        observers=(observe,),
        identifier=identifier,
        clock=lambda: moment,
        limit_headers=(LimitHeaders.DRAFT_11,),
    )
    return Engine(made)


class _Call:
    """The call that a transport would bring."""

    deadline = None
    cancelled = False
    metadata = ()
    response = b""

    def answer(self, response: bytes) -> None:
        """Keep the answer."""
        self.response = response


class _Claimed:
    """Finds whom the command line says: the identity, as the first provider of the request would have made it."""

    def __init__(self, subject: str, claims: dict[str, Any]) -> None:
        self._subject = subject
        self._claims = claims
        self.asked = False

    def identify(
        self, providers: Sequence[str], _request: Request, _deadline: float, done: Callable[[Identity], None], /
    ) -> None:
        """Name the caller."""
        from authz.model import Identity  # noqa: PLC0415 - see the package's docstring

        self.asked = True
        claims = {"sub": self._subject, **self._claims}
        scope = claims.get("scope", "")
        done(
            Identity(
                authenticated=True,
                provider=providers[0],
                subject=self._subject,
                issuer=str(claims.get("iss", "")),
                roles=_texts(claims.get("roles")),
                groups=_texts(claims.get("groups")),
                scopes=tuple(scope.split()) if isinstance(scope, str) else _texts(scope),
                claims=claims,
            )
        )


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _raise(error: BaseException) -> None:
    raise error


def _read(read: Callable[[str], T], text: str) -> T:
    try:
        return read(text)
    except (ValueError, OSError) as error:
        raise typer.BadParameter(str(error)) from error


def _object(text: str) -> dict[str, Any]:
    value = _read(json.loads, text)
    if not isinstance(value, dict):
        raise typer.BadParameter("--claims is a JSON object")
    return value


def _moment(text: str) -> float:
    if not text:
        return time.time()
    moment = _read(datetime.fromisoformat, text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
