"""`authz demo`: start the stack, say what to try, and show what the service says while it runs."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from authz.cli.demo import files
from authz.cli.demo.log import shown
from authz.cli.demo.requests import TOUR, Seen, perform
from authz.cli.demo.stack import Stack
from authz.cli.output import Exit, say, tell
from authz.cli.scratch import scratch


def command(
    port: Annotated[
        int, typer.Option("--port", help="Where Envoy listens on loopback; another if it is taken.")
    ] = 10000,
    policies: Annotated[
        Path | None, typer.Option("--policies", exists=True, file_okay=False, help="Other policies than the shop's.")
    ] = None,
    exit_after_check: Annotated[
        bool, typer.Option("--exit-after-check", help="Send the printed requests, compare each status, and end.")
    ] = False,
) -> None:
    """Start Valkey, an upstream, the service and a real Envoy, and print requests to paste.

    Edit a policy while it runs and the next request meets it; break one and see why the old one stays in force.
    Ctrl-C ends everything.
    """
    with scratch("demo") as place:
        folder = policies or files.policies(place)
        stack = Stack(place, folder, port, _show)
        try:
            stack.start()
            _invite(stack, folder)
            right = _check(stack.port) if exit_after_check else _stay()
        finally:
            stack.stop()
    raise typer.Exit(Exit.FINE if right else Exit.UNEXPECTED)


def _invite(stack: Stack, folder: Path) -> None:
    base = f"http://127.0.0.1:{stack.port}"
    say(f"\nEnvoy answers on {base}; the admin port is http://127.0.0.1:{stack.admin_port}/status\n")
    for shown_request in TOUR:
        say(f"# {shown_request.title}\n{shown_request.curl(base)}\n")
    say(f"Policies: {folder}. Edit one and try again; break one and see what happens. Ctrl-C ends the demo.\n")


def _check(port: int) -> bool:
    return all([_report(seen) for seen in perform(port)])  # noqa: C419 - every line is wanted, not up to the first


def _report(seen: Seen) -> bool:
    verdict = "ok  " if seen.right else "FAIL"
    retry = f", Retry-After {seen.retry_after}" if seen.retry_after else ""
    say(f"{verdict} {seen.shown.method:6} {seen.shown.path:12} {_listed(seen.statuses)}{retry} ({seen.shown.title})")
    if not seen.right:
        tell(f"     expected {_listed(seen.shown.expect)}")
    return seen.right


def _listed(statuses: tuple[int, ...]) -> str:
    return " ".join(map(str, statuses))


def _stay() -> bool:
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()
    return True


def _show(line: str) -> None:
    text = shown(line)
    if text:
        tell(text)
