"""The few ways this can fail.

    AuthzError                   everything we raise on purpose
    ├── Refusal                  a request that is no request, or one that two readers would read differently
    ├── PolicyFaults             policies that cannot be served: every fault, each with its place
    │   └── FailedTests          policies that could be, and do not what their tests say
    ├── SettingsFaults           settings that cannot be used: every fault, each with its source
    └── Unavailable              something outside (Redis, a socket, a file) is not there

A fault is a value, an error carries faults. Messages are lower case, one line, cause last; what a client
sends is never repeated unescaped. Nothing here knows a protocol, a file format or an engine.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from authz.words import printable

if TYPE_CHECKING:
    from collections.abc import Iterable


class Severity(StrEnum):
    """How bad a fault is: an error is refused, a warning is only told."""

    ERROR = "error"
    WARNING = "warning"


class Fault(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """One thing that is wrong in one place.

    `line` and `column` count from 1; 0 means the file as a whole. `text` is the source line, `length` the
    number of characters the caret underlines. `code` is stable (`AZ001`); `hint` says how to mend it.
    """

    file: str
    line: int = 0
    column: int = 0
    code: str = ""
    message: str
    hint: str = ""
    text: str = ""
    length: int = 1
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        """Return `file:line:column: code message (hint)`, and below it the source line with a caret; all printable."""
        place = self.file if not self.line else f"{self.file}:{self.line}:{self.column}"
        grave = "" if self.severity is Severity.ERROR else f"{self.severity}: "
        code = f"{self.code} " if self.code else ""
        head = printable(f"{place}: {grave}{code}{self.message}" + (f" ({self.hint})" if self.hint else ""))
        if not self.text:
            return head
        caret = " " * (self.column - 1) + "^" * max(1, self.length)
        return f"{head}\n    {printable(self.text.expandtabs(1))}\n    {caret}"


class AuthzError(Exception):
    """The root of what this package raises on purpose."""


class Refusal(AuthzError):
    """A request that cannot be read one way only; `detail` is for the operator, never for the client.

    `reason` is the word of `model.Reason` that the answer carries.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class _Faults(AuthzError):
    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(faults))
        super().__init__("\n".join(str(fault) for fault in self.faults))


class PolicyFaults(_Faults):
    """Policies that cannot be served: all faults, sorted by file, line and column."""


class FailedTests(PolicyFaults):
    """Policies that are whole and have not passed their tests: what is not as expected, each with its place."""


class SettingsFaults(_Faults):
    """Settings that cannot be used: all faults; `file` names the file, variable or flag at fault."""


class Unavailable(AuthzError):
    """Something outside this process is not there, or not in time; safe to retry later."""
