"""The words of the C++ engine, translated: into faults with a place, and into errors that tell no secret.

When an expression does not compile, the engine reports `ERROR: <input>:1:8: undeclared reference to 'request.methd'`,
one line for each fault, and the place is that of an operator. When one has no value, its text may quote the value it
stumbled over, which may be a password: only texts that are known to hold nothing of the kind are passed on.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from authz.cel.faults import Code, CompileError, CompileFault
from authz.cel.names import no_field, no_value, not_taken, spoken, undeclared_function, undeclared_variable, unexpected
from authz.cel.values import EvaluationError

if TYPE_CHECKING:
    from collections.abc import Collection

_LINE = re.compile(r"(?:^|^[A-Z_]+: )ERROR: <input>:(-?\d+):(-?\d+): (.*)$", re.MULTILINE)
_STATUS = re.compile(r"^[A-Z_]+: | \[[A-Z_]+\]$")
_TOO_DEEP = re.compile(r"(?:max recursion depth of|recursion limit exceeded\. limit:) (\d+)")
_UNDECLARED = re.compile(r"^undeclared reference to '([^']*)'")
_HAS = re.compile(r"\bhas\s*$")
_CALLED = re.compile(r"((?:[A-Za-z_]\w*\s*\.\s*)*)([A-Za-z_]\w*)\s*$")
_WORD = re.compile(r"\w+|==|\S")
_NO_FIELD = re.compile(r"^undefined field '([^']*)' not found in struct '([^']*)'")
_NO_FIELDS = re.compile(r"^expression of type '([^']*)' cannot be the operand of a select")
_NO_OVERLOAD = re.compile(r"^found no matching overload for '([^']*)' applied to '\((.*)\)'")
_CONSEQUENCE = "*error*"

_NO_VALUE = re.compile(r'^No value with name "(@?[\w.]+)" found in Activation$')
_EVALUATION: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), text)
    for pattern, text in (
        (r"^Key not found in map", "no such key"),
        (r"^Index error", "no such index"),
        (r"^divide by zero$|^modulus by zero$", r"\g<0>"),
        (r"overflow|out of range|out of (?:u?int64|uint64) range|too big", "out of range"),
        (r"^No matching overloads found : ([\w@:.<>_+\-*/%=!&|? ()\[\],]+)$", r"no such operation: \1"),
        (r"^(?:Applying SELECT to non-message type)$", "only maps and messages have fields"),
        (r"conversion failed|cannot convert|Type conversion error|^invalid base64", "the text cannot be converted"),
        (r"malformed UTF-8", "not UTF-8"),
        (r"^Invalid timezone$", "no such time zone"),
        (r"^Iteration budget exceeded$", "too many iterations"),
        (r"^optional\.none\(\) dereference$", "the optional is empty"),
        (r"^(?:Non-CEL value type|Unexpected value type) for", "a value is not of the type that was declared"),
        (r"Unable to convert function return value|^Invalid map key type", "a value that only expressions know"),
        (r"^basic_string: construction from null", "a text is not Unicode"),
        (r"^<string>\.|decimal clause|unrecognized formatting|precision specifier", "the arguments do not fit"),
        (r"^math\.", "the arguments do not fit"),
    )
)


def evaluation_error(text: str) -> EvaluationError:
    """Return the error of an expression that has no value, in one line without values."""
    told = _STATUS.sub("", text.strip())
    if unbound := _NO_VALUE.match(told):
        return EvaluationError(no_value(unbound[1]))
    for pattern, words in _EVALUATION:
        if match := pattern.search(told):
            return EvaluationError(match.expand(words))
    return EvaluationError("the expression has no value")


def compile_error(text: str, source: str, variables: Collection[str]) -> CompileError:
    """Return everything that is wrong with an expression, as far as the engine says."""
    if deep := _TOO_DEEP.search(text):
        message = f"the expression is nested more than {deep[1]} deep"
        return CompileError([CompileFault(code=Code.SIZE, message=message, hint="split it up with variables")])
    reports = [
        _Report(line=max(1, int(line)), column=max(1, int(column)), text=_STATUS.sub("", said))
        for line, column, said in _LINE.findall(text)
    ]
    faults = _Translation(source, variables, reports).faults()
    return CompileError(faults or [CompileFault(code=Code.ENGINE, message=_told(text))])


def _told(text: str) -> str:
    return _STATUS.sub("", text.strip()).partition("\n")[0] or "the engine cannot compile this"


class _Report(msgspec.Struct, frozen=True, kw_only=True):
    """One line of what the engine says."""

    line: int
    column: int
    text: str


class _Translation:
    """Translates what the engine says of one expression."""

    def __init__(self, source: str, variables: Collection[str], reports: list[_Report]) -> None:
        self._lines = source.split("\n")
        self._variables = variables
        self._reports = reports
        self._undeclared = {name for report in reports if (name := self._undeclared_variable(report))}
        self._namespaces: set[str] = set()

    def faults(self) -> list[CompileFault]:
        """Return the faults, without what only follows from another."""
        syntax = [report for report in self._reports if report.text.startswith("Syntax error: ")]
        if syntax:
            return [self._syntax(syntax[0])]
        calls = [self._call(report, match[1]) for report, match in self._matching(_UNDECLARED) if self._calls(report)]
        names = [
            self._name(report, name)
            for report in self._reports
            if (name := self._undeclared_variable(report)) and name not in self._namespaces
        ]
        return calls + names + [self._other(report) for report in self._reports if not self._follows(report)]

    def _matching(self, pattern: re.Pattern[str]) -> list[tuple[_Report, re.Match[str]]]:
        return [(report, match) for report in self._reports if (match := pattern.match(report.text))]

    def _follows(self, report: _Report) -> bool:
        return _CONSEQUENCE in report.text or _UNDECLARED.match(report.text) is not None

    def _undeclared_variable(self, report: _Report) -> str | None:
        match = _UNDECLARED.match(report.text)
        return match[1] if match and not self._calls(report) else None

    def _calls(self, report: _Report) -> bool:
        return self._text(report)[report.column - 1 : report.column] == "(" and not self._asks(report)

    def _asks(self, report: _Report) -> bool:
        """Tell whether the place is that of `has(`, which is no call."""
        return _HAS.search(self._text(report)[: report.column - 1]) is not None

    def _text(self, report: _Report) -> str:
        return self._lines[report.line - 1] if report.line <= len(self._lines) else ""

    def _syntax(self, report: _Report) -> CompileFault:
        """Return the first syntax error; those behind it follow from it."""
        word = _WORD.match(self._text(report), report.column - 1)
        return unexpected(word[0] if word else "", line=report.line, column=report.column)

    def _call(self, report: _Report, name: str) -> CompileFault:
        """Return the fault of a function; what stands before it is part of its name if it is nothing else."""
        written = _CALLED.search(self._text(report)[: report.column - 1])
        prefix = re.sub(r"\s", "", written[1]) if written else ""
        if prefix[:-1] in self._undeclared:
            self._namespaces.add(prefix[:-1])
            name = prefix + name
        return undeclared_function(name, line=report.line, column=report.column - len(name), length=len(name))

    def _name(self, report: _Report, name: str) -> CompileFault:
        """Return the fault of a variable; the engine points at its last dot, or at the bracket of `has(`."""
        pattern = r"\s*\.\s*".join(map(re.escape, name.split(".")))
        for match in re.finditer(rf"\b{pattern}\b", self._text(report)):
            if match.start() < report.column <= match.end() or (self._asks(report) and match.start() >= report.column):
                return undeclared_variable(
                    name, self._variables, line=report.line, column=match.start() + 1, length=len(match[0])
                )
        return undeclared_variable(name, self._variables, line=report.line, column=report.column, length=1)

    def _other(self, report: _Report) -> CompileFault:
        if match := _NO_FIELD.match(report.text):
            return no_field(match[1], match[2], line=report.line, column=report.column + 1)
        if match := _NO_OVERLOAD.match(report.text):
            return self._overload(report, match[1], match[2])
        if match := _NO_FIELDS.match(report.text):
            message = f"{_typed(match[1])} has no fields"
            return CompileFault(line=report.line, column=report.column, code=Code.TYPE, message=message)
        return CompileFault(line=report.line, column=report.column, code=Code.ENGINE, message=_told(report.text))

    def _overload(self, report: _Report, function: str, arguments: str) -> CompileFault:
        """Return the fault of an operator or function that does not take what it is given."""
        before = len(spoken(function)) if self._calls(report) else 0
        return not_taken(function, _typed(arguments), line=report.line, column=max(1, report.column - before))


def _typed(types: str) -> str:
    """Return the engine's names of types as this project writes them."""
    return types.replace("google.protobuf.Timestamp", "timestamp").replace(
        "google.protobuf.Duration", "duration").replace("null_type", "null")  # fmt: skip
