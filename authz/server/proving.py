"""Policies come into force when they have passed the tests that lie beside them.

The tests run on policies compiled for them alone: what they ask leaves nothing behind in those that are to serve (no
remembered decision, no key that was used), and no provider of theirs fetches anything. They run on the thread that
compiles, a request at a time with rests between, and for a bounded time. A set without tests has passed none.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from authz.errors import FailedTests, Fault, PolicyFaults
from authz.server.pacing import Pace
from authz.testing import Surroundings, Verdict, read_suites, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from authz.policy import PolicySet
    from authz.store import Compiler
    from authz.testing import Result


class Proven:
    """A compiler whose policies have passed their tests; `trial` compiles those that are tested."""

    def __init__(
        self, compiler: Compiler, trial: Compiler, *, timeout: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._compiler = compiler
        self._trial = trial
        self._timeout = timeout
        self._clock = clock

    def compile(self, files: Mapping[str, bytes]) -> PolicySet:
        """Compile and try; raise `FailedTests` with every test that failed, `PolicyFaults` for what can't be served."""
        self._prove(self._trial.compile(files), files)
        return self._compiler.compile(files)

    def _prove(self, policies: PolicySet, files: Mapping[str, bytes]) -> None:
        turn = _Turn(self._clock, self._clock() + self._timeout)
        try:
            results = run(read_suites(files, turn), policies, around=Surroundings(pause=turn))
        except PolicyFaults as broken:
            raise FailedTests(broken.faults) from None
        except TimeoutError:
            message = f"the tests of these policies take longer than {self._timeout:g} s"
            raise FailedTests([Fault(file="", message=message, hint="reload.tests_timeout bounds them")]) from None
        faults = [fault for result in results for fault in _faults(result)]
        if not any(result.verdict is Verdict.PASSED for result in results) and not faults:
            message = "no test lies beside these policies"
            faults = [Fault(file="", message=message, hint="reload.require_tests wants some, in files *_test.yaml")]
        if faults:
            raise FailedTests(faults)


class _Turn:
    """Called after each file and before each request: it rests when it is time to, and ends what lasts too long."""

    def __init__(self, clock: Callable[[], float], deadline: float) -> None:
        self._clock = clock
        self._deadline = deadline
        self._pace = Pace()

    def __call__(self) -> None:
        if self._clock() > self._deadline:
            raise TimeoutError
        self._pace()


def _faults(result: Result) -> Iterator[Fault]:
    for finding in result.failures:
        unlike = "; ".join(f"{one.key}: expected {one.expected}, got {one.actual}" for one in finding.differences)
        yield Fault(
            file=result.file,
            line=finding.line,
            column=finding.column,
            message=f'test "{result.title}" fails: {unlike}',
        )
