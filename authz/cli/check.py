"""`authz check`: what `serve` would say of these policies, before it has to, and what is odd about them (`--lint`)."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from authz.cli.notes import ending, origins
from authz.cli.output import Exit, say, tell
from authz.cli.reports import Report, report
from authz.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from authz.errors import Fault
    from authz.policy import PolicySet, WatchDocument
    from authz.policy.linting import Expressions
    from authz.store import Provenance, Reading


def command(
    paths: Annotated[list[Path], typer.Argument(exists=True, help="Folders and files, together one set of policies.")],
    *,
    output: Annotated[Report, typer.Option(help="Who reads the faults.")] = Report.PRETTY,
    lint: Annotated[bool, typer.Option("--lint", help="Warn of what is valid and probably not meant.")] = False,
    cross_check: Annotated[
        bool, typer.Option("--cross-check", help="Evaluate with both CEL engines; warn where they differ.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 3 for warnings too.")] = False,
) -> None:
    """Read policies as the service reads them, and report every fault with its place.

    Exits 3 if there is any; warnings alone exit 0, but for --strict. Faults go to standard output, how many there are
    to standard error. `authz help CODE` says more of each.
    """
    from authz.policy.linting import Expressions  # noqa: PLC0415 - see the package's docstring
    from authz.store import read  # noqa: PLC0415

    reading, seen = read(paths), Expressions()
    policies, refused = _compiled(reading, seen.watch if lint or cross_check else None)
    provenances, unknown = _provenance(reading)
    faults = sorted({*reading.faults, *refused, *unknown})
    warnings: list[Fault] = []
    if policies is not None and lint:
        warnings += _odd(policies, seen, paths)
    if policies is not None and cross_check:
        warnings += _crossed(policies, seen, paths)
    text = report(sorted([*faults, *warnings]), output)
    if text:
        say(text)
    for note in ending(policies.ending if policies else (), time.time()):
        tell(note)
    for note in origins(provenances):
        tell(note)
    tell(_summary(len(reading.files), len(faults), len(warnings)))
    raise typer.Exit(Exit.POLICIES if faults or (strict and warnings) else Exit.FINE)


def _odd(policies: PolicySet, seen: Expressions, paths: Iterable[Path]) -> tuple[Fault, ...]:
    """Return the warnings about policies that compile."""
    from authz.cli.testing.files import tested  # noqa: PLC0415
    from authz.policy.linting import lint  # noqa: PLC0415

    return lint(policies.written, seen, tested({document.file for document in policies.written}, paths))


def _crossed(policies: PolicySet, seen: Expressions, paths: list[Path]) -> tuple[Fault, ...]:
    """Return where the engines differ; tell how much was compared."""
    from authz.cli.crosschecking import cross_checked  # noqa: PLC0415

    found = cross_checked(policies, tuple(seen.all()), paths)
    tell(
        f"{counted(found.expressions, 'expression')} evaluated {counted(found.evaluations, 'time')} with both engines: "
        f"{len(found.warnings)} differ, {counted(found.undetermined, 'evaluation')} the second cannot tell"
    )
    return found.warnings


def _compiled(reading: Reading, watch: WatchDocument | None) -> tuple[PolicySet | None, tuple[Fault, ...]]:
    """Return the policies, or why there are none."""
    from authz.errors import PolicyFaults  # noqa: PLC0415
    from authz.server.deciding import compiler  # noqa: PLC0415

    try:
        return compiler("auto", watch=watch).compile(reading.files), ()
    except PolicyFaults as refusal:
        return None, refusal.faults


def _provenance(reading: Reading) -> tuple[Mapping[str, Provenance], tuple[Fault, ...]]:
    """Return where folders come from, or what is wrong with what they say of it."""
    from authz.errors import PolicyFaults  # noqa: PLC0415
    from authz.store import provenance_of  # noqa: PLC0415

    try:
        return provenance_of(reading), ()
    except PolicyFaults as refusal:
        return {}, refusal.faults


def _summary(files: int, faults: int, warnings: int) -> str:
    told = counted(faults, "fault") if faults else "no fault"
    return f"{counted(files, 'file')} read, {told}" + (f", {counted(warnings, 'warning')}" if warnings else "")
