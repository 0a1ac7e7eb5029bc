"""`authz explain`: a request that is typed, or a decision by its id, and how it came to its answer."""

from __future__ import annotations

import os
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from authz.cli.eval import At, Claims, Content, Headers, Ip, Policies, Provider, Subject, Typed, tried
from authz.cli.output import Output, say, tell

if TYPE_CHECKING:
    from authz.audit import ReadsWriter
    from authz.policy import Explanation


def command(  # noqa: PLR0913 - one per flag
    method: Annotated[str, typer.Argument(metavar="METHOD|DECISION-ID", help="GET, POST, ...; or a decision's id.")],
    url: Annotated[str | None, typer.Argument(help="https://host/path?query, or a path alone.")] = None,
    *,
    policies: Policies = None,
    headers: Headers = None,
    body: Content = None,
    subject: Subject = None,
    provider: Provider = None,
    claims: Claims = "{}",
    ip: Ip = "127.0.0.1",
    at: At = "",
    log: Annotated[
        Path | None, typer.Option(exists=True, help="Records to look for the decision in; a file or a folder.")
    ] = None,
    admin: Annotated[str, typer.Option(help="Admin port to ask about a decision, without --log.")] = "127.0.0.1:9192",
    redis: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Look at the counts there, charging nothing. [default: limits whole]"),
    ] = None,
    output: Annotated[Output, typer.Option(help="Who reads the explanation.")] = Output.PRETTY,
) -> None:
    """Explain a decision: documents, rules, every part of a condition, limits, and what was missing.

    Credentials show as fingerprints. A decision is looked up in --log and explained by --policies, else by the service.
    """
    from authz.cli.explain import finding, tree  # noqa: PLC0415 - see the package's docstring

    if url is None and method.isalpha():
        raise typer.BadParameter(f"{method} of what? give a URL too; a decision has an id", param_hint="url")
    if url is not None:
        explanation = _typed(Typed(method, url, headers, body, subject, provider, claims, ip, at), policies, redis)
    elif log is not None:
        explanation = _recorded(method, log, policies)
    else:
        explanation = finding.as_explanation(finding.asked(method, admin))
    say(_json(explanation) if output is Output.JSON else tree.pretty(explanation))


def _typed(typed: Typed, policies: list[Path] | None, redis: str | None) -> Explanation:
    from authz.cli import answer  # noqa: PLC0415 - see the package's docstring
    from authz.cli.explain.looking import counted_in  # noqa: PLC0415
    from authz.errors import Unavailable  # noqa: PLC0415

    with counted_in(redis) if redis else nullcontext() as limiter:
        trying, got, outcome = tried(typed, policies, limiter)
    explanation = trying.explain(outcome, _secrets())
    if explanation is None:
        say(answer.pretty(got))
        raise Unavailable(f"no policy was asked: {outcome.decision.reason}: {outcome.detail}")
    return explanation


def _recorded(decision: str, log: Path, policies: list[Path] | None) -> Explanation:
    from authz.cli.explain import finding  # noqa: PLC0415 - see the package's docstring
    from authz.errors import Unavailable  # noqa: PLC0415
    from authz.server.deciding import policies_in  # noqa: PLC0415
    from authz.server.trying import Trying  # noqa: PLC0415

    line = finding.recorded(decision, log)
    current = policies_in(policies or [Path("policies")])
    if line.policy_digest != current.digest:
        tell(
            "these are not the policies that decided, or are in a folder of another name: rules may have changed since"
        )
    explanation = Trying(current).explain_record(line, _secrets())
    if explanation is None:
        raise Unavailable(f"no policy decided this: {line.reason}")
    return explanation


def _secrets() -> ReadsWriter:
    from authz.audit import ReadsForm, ReadsWriter  # noqa: PLC0415 - see the package's docstring

    return ReadsWriter(ReadsForm.VALUES, os.urandom(32))


def _json(explanation: Explanation) -> str:
    import msgspec  # noqa: PLC0415 - see the package's docstring

    return msgspec.json.format(msgspec.json.encode(explanation), indent=2).decode()
