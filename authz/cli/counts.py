"""`authz limits`: what Redis has counted for one caller, and how to make it whole again."""

from __future__ import annotations

import logging
import os
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from authz.cli.output import say, tell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authz.config import Settings
    from authz.model import Limit, LimitUsage

PATIENCE = 2.0
"""Seconds to wait for Redis; a person waits longer than a request."""


class Kind(StrEnum):
    """What a limit is written in."""

    POLICY = "policy"
    GUARDRAIL = "guardrail"


class Action(StrEnum):
    """What to do with a count."""

    SHOW = "show"
    RESET = "reset"


def command(
    action: Annotated[Action, typer.Argument(help="show, or reset.")],
    name: Annotated[str, typer.Argument(metavar="LIMIT", help="The limit as records name it: document/limit.")],
    key_parts: Annotated[
        list[str] | None, typer.Argument(metavar="KEY-PART", help="The values of its key, in order.")
    ] = None,
    *,
    kind: Annotated[
        Kind | None, typer.Option(help="Which, where a policy and a guardrail have one of this name.")
    ] = None,
    policies: Annotated[list[Path] | None, typer.Option(help="Where the limit is. [default: as served]")] = None,
    redis: Annotated[str | None, typer.Option(metavar="URL", help="Where it is counted. [default: as served]")] = None,
    config: Annotated[Path | None, typer.Option(metavar="FILE", help="Settings in YAML.")] = None,
) -> None:
    """Show what one caller has left of a limit in Redis, or make it whole.

    Settings are those of `serve`: the file, `AUTHZ_*`, these flags. Showing charges nothing. After a reset, a process
    that has refused the caller goes on doing so until the time that it told.
    """
    from authz.config import load  # noqa: PLC0415 - see the package's docstring

    flags: dict[str, str | tuple[str, ...]] = {"redis.timeout": f"{PATIENCE:g}s"}
    flags |= {"policies": tuple(map(str, policies))} if policies else {}
    flags |= {"redis.url": redis} if redis else {}
    settings = load(file=config, environment=os.environ, flags=flags).settings
    if settings.redis.url is None:
        raise typer.BadParameter("without Redis, counts are in the processes that serve, each for itself")
    limit = _limit(settings, name, kind)
    logging.getLogger("authz.limits").addHandler(logging.NullHandler())  # what Redis does not answer is told once
    if action is Action.SHOW:
        say(_shown(_peeked(settings, limit, key_parts or ())))
    else:
        _reset(settings, limit, key_parts or ())


def _limit(settings: Settings, name: str, kind: Kind | None) -> Limit:
    """Return the limit of that name and kind, as it would count if it were in force."""
    import msgspec  # noqa: PLC0415

    from authz.model import Mode  # noqa: PLC0415
    from authz.server.deciding import policies_in  # noqa: PLC0415

    limits = [
        each
        for each in policies_in(settings.policies, settings.engine).limits
        if kind is None or each.guardrail == (kind is Kind.GUARDRAIL)
    ]
    found = [each for each in limits if each.name == name]
    if not found:
        known = ", ".join(sorted({each.name for each in limits})) or "none"
        raise typer.BadParameter(f'no limit{f" of a {kind}" if kind else ""} is called "{name}" (there are: {known})')
    if len(found) > 1:
        raise typer.BadParameter(f'a policy and a guardrail have a limit "{name}" each: say --kind policy or guardrail')
    return msgspec.structs.replace(found[0], mode=Mode.ENFORCE)


def _peeked(settings: Settings, limit: Limit, key: Sequence[str]) -> LimitUsage:
    from threading import Event  # noqa: PLC0415

    from authz.errors import Unavailable  # noqa: PLC0415
    from authz.model import Charge, LimitOutcome, Usage  # noqa: PLC0415
    from authz.server.building import limiter  # noqa: PLC0415

    store, heard, usages = limiter(settings), Event(), list[Usage]()

    def done(usage: Usage) -> None:
        usages.append(usage)
        heard.set()

    store.start()
    try:
        store.peek([Charge(limit=limit, key=tuple(key))], time.monotonic() + PATIENCE, done)
        heard.wait()
        (usage,) = usages[0].limits
        if usage.outcome not in {LimitOutcome.OK, LimitOutcome.OVER}:
            raise Unavailable(f"can't ask Redis: {store.status().get('last_error') or 'no answer'}")
        return usage
    finally:
        store.close()


def _shown(usage: LimitUsage) -> str:
    limit = usage.charge.limit
    back = "" if usage.retry_after is None else f", one more in {usage.retry_after:.3f} s"
    whole = f", whole in {usage.reset:.3f} s" if usage.reset else ""
    return f"{limit.name}: {usage.remaining} of {limit.burst or limit.requests} left{back}{whole}"


def _reset(settings: Settings, limit: Limit, key: Sequence[str]) -> None:
    from authz.limits.address import Access  # noqa: PLC0415
    from authz.limits.resetting import reset  # noqa: PLC0415
    from authz.server.building import secret_of  # noqa: PLC0415

    redis = settings.redis
    assert redis.url is not None  # noqa: S101 - asked before
    access = Access(timeout=PATIENCE, password_file=redis.password_file)
    was = reset(redis.url.get_secret_value(), access, limit, key, secret=secret_of(redis))
    say(f"{limit.name}: reset" if was else f"{limit.name}: was whole")
    tell("processes that refused this caller go on until the time they told; the next one asks Redis")
