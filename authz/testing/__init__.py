"""Tests of policies (POLICY.md, section 7): read, run on the service's own engine, compared. Values in, values out.

`suites` reads files and looks names up in the policies, `trials` gives every form of test one shape, `running` carries
them out on a `stage`, `comparing` says what is not as expected, `coverage` what nobody has shown. `callers`, `counting`
and `asking` play the world around the service. Nothing here prints, reads a file or waits.
"""

from authz.testing.coverage import Coverage, Recorder
from authz.testing.results import Answer, Difference, Finding, Result, Verdict
from authz.testing.running import run
from authz.testing.stage import Surroundings
from authz.testing.suites import Suite, check, read_suites

__all__ = [
    "Answer",
    "Coverage",
    "Difference",
    "Finding",
    "Recorder",
    "Result",
    "Suite",
    "Surroundings",
    "Verdict",
    "check",
    "read_suites",
    "run",
]  # fmt: skip
