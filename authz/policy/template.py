"""Texts in which `${...}` is CEL and `$${` a literal `${`.

A template is compiled at load into literal parts and terms. Rendering evaluates the terms and joins the parts; a value
that is no text of one obvious form (a list, a map, null) is an error, and so is a value that the place of the
text cannot carry: a header takes visible ASCII only, so that nothing from a request or a token can begin a second
header or read differently behind another proxy. `url.encode` makes any text fit.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from math import isfinite
from typing import TYPE_CHECKING

import msgspec

from authz.cel import EvaluationError, Kind
from authz.model import MAX_METADATA_DEPTH
from authz.paths import percent_encoded
from authz.policy import pages
from authz.policy.faults import Together
from authz.policy.scan import closing_brace
from authz.policy.source import quoted
from authz.policy.terms import TEXTS, Span, Term

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from authz.errors import Fault
    from authz.policy.source import Text
    from authz.policy.terms import Terms

ESCAPED = "$${"
"""What stands for a literal `${`."""

Evaluate = Callable[[Term, int], object | EvaluationError]

_VALUES = TEXTS | {Kind.LIST, Kind.MAP, Kind.NULL}
_OPENING = re.compile(r"\$?\$\{")
_UNFIT_FOR_HEADER = re.compile(r"[^\t\x20-\x7e]")
_UNFIT_FOR_COOKIE = re.compile(r"[^\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]")
_UNFIT_FOR_LOCATION = re.compile(r"[^\x21-\x7e]")
_UNFIT_FOR_TEXT = re.compile(r"[\ud800-\udfff\x00]")


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """A text with holes. `constant` is the text itself where there are none; `unfit` finds what it may not hold.

    `escape` is how what fills a hole is written.
    """

    parts: tuple[str | Term, ...]
    constant: str | None
    unfit: re.Pattern[str] = _UNFIT_FOR_TEXT
    escape: Callable[[str], str] | None = None

    def render(self, evaluate: Evaluate, scope: int) -> str | EvaluationError:
        """Return the text, its holes filled by what `evaluate` finds in a scope."""
        if self.constant is not None:
            return self.constant
        texts = []
        for part in self.parts:
            text = part if isinstance(part, str) else as_text(evaluate(part, scope))
            if isinstance(text, EvaluationError):
                return text
            texts.append(text if self.escape is None or isinstance(part, str) else self.escape(text))
        return self._checked("".join(texts))

    def value(self, evaluate: Evaluate, scope: int) -> object | EvaluationError:
        """Return the value of a text that is one whole `${...}` with its type; any other text as `render` does."""
        if len(self.parts) == 1 and isinstance(whole := self.parts[0], Term):
            return as_json(evaluate(whole, scope))
        return self.render(evaluate, scope)

    def _checked(self, text: str) -> str | EvaluationError:
        if found := self.unfit.search(text):
            return EvaluationError(f"the value holds U+{ord(found[0]):04X}, which cannot stand there")
        return text


def header(written: Text, label: str, terms: Terms) -> Template:
    """Compile the value of a header."""
    return _compiled(written, label, terms, _UNFIT_FOR_HEADER)


def location(written: Text, label: str, terms: Terms) -> Template:
    """Compile where a redirect leads."""
    return _compiled(written, label, terms, _UNFIT_FOR_LOCATION)


def cookie(written: Text, label: str, terms: Terms) -> Template:
    """Compile the value of a cookie."""
    return _compiled(written, label, terms, _UNFIT_FOR_COOKIE)


def page(written: Text, label: str, terms: Terms) -> Template:
    """Compile a page of HTML; a hole where escaping is not enough is a fault."""
    pieces = list(_pieces(written, label, []))
    holes = [piece for piece in pieces if not isinstance(piece, str)]
    for number in pages.unsafe(pieces):
        span = _span(written, holes[number][0] - len("${"))
        terms.faults.append(written.fault(
            Together.PAGE, f"{label}: a value cannot stand here in a page",
            line=span.line, column=span.column, length=2,
            hint="in text, in a quoted attribute that is text, or behind the beginning of a URL",
        ))  # fmt: skip
    return _compiled(written, label, terms, _UNFIT_FOR_TEXT, pages.escape)


def text(written: Text, label: str, terms: Terms) -> Template:
    """Compile any other text: a message, a body, a query parameter."""
    return _compiled(written, label, terms, _UNFIT_FOR_TEXT)


def value(written: Text, label: str, terms: Terms) -> Template:
    """Compile a text that keeps its type where it is one whole `${...}`: metadata, JSON."""
    return _compiled(written, label, terms, _UNFIT_FOR_TEXT, typed=True)


def _compiled(
    written: Text,
    label: str,
    terms: Terms,
    unfit: re.Pattern[str],
    escape: Callable[[str], str] | None = None,
    *,
    typed: bool = False,
) -> Template:
    """Return a template; its faults are noted in `terms`."""
    parts: list[str | Term] = []
    pieces = list(_pieces(written, label, terms.faults))
    fits = _VALUES if typed and len(pieces) == 1 else TEXTS
    for piece in pieces:
        if isinstance(piece, str):
            parts.append(piece)
        else:
            start, end = piece
            source, span = written[start:end], _span(written, start)
            parts.append(terms.compile(written, label, source=source, span=span, fits=fits))
    constant = None if any(isinstance(part, Term) for part in parts) else "".join(map(str, parts))
    literal = "".join(part for part in parts if isinstance(part, str))
    if (constant is None or unfit is _UNFIT_FOR_LOCATION) and (found := unfit.search(literal)):
        message = f"{label}: {quoted(found[0])} cannot stand there"
        terms.faults.append(written.fault(Together.TEMPLATE, message, hint=f"write {percent_encoded(found[0])}"))
    return Template(parts=tuple(parts), constant=constant, unfit=unfit, escape=escape)


def _pieces(written: Text, label: str, faults: list[Fault]) -> Iterator[str | tuple[int, int]]:
    """Yield literal text as text and expressions as start and end; a hole that never closes is a fault."""
    literal, position = "", 0
    while opening := _OPENING.search(written, position):
        literal += written[position : opening.start()]
        position = opening.end()
        if opening[0] == ESCAPED:
            literal += "${"
            continue
        end = closing_brace(written, position)
        if end is None or not written[position:end].strip():
            faults.append(_hole_fault(written, label, opening.start(), "is empty" if end else "is never closed"))
            return
        if literal:
            yield literal
        yield position, end
        literal, position = "", end + 1
    if rest := literal + written[position:]:
        yield rest


def _hole_fault(written: Text, label: str, start: int, problem: str) -> Fault:
    span = _span(written, start)
    return written.fault(
        Together.TEMPLATE, f'{label}: "${{" {problem}', hint='write "$${" for the text itself',
        line=span.line, column=span.column, length=2,
    )  # fmt: skip


def _span(written: Text, start: int) -> Span:
    return Span(line=written.count("\n", 0, start) + 1, column=start - written.rfind("\n", 0, start))


def as_text(value: object) -> str | EvaluationError:
    """Return a value as CEL's `string()` would write it, but doubles without `e` as long as they are read like that.

    An error for what has no one form as text.
    """
    if isinstance(value, EvaluationError):
        return value
    writer = _WRITERS.get(type(value))
    return EvaluationError(f"a {type(value).__name__} is no text") if writer is None else writer(value)


def _moment(value: datetime) -> str:
    precision = "milliseconds" if value.microsecond and value.microsecond % 1000 == 0 else "auto"
    return value.isoformat(timespec=precision).replace("+00:00", "Z")


def _seconds(value: timedelta) -> str:
    seconds, fraction = divmod(abs(value) // timedelta(microseconds=1), 1_000_000)
    digits = f".{fraction:06}".removesuffix("000") if fraction else ""
    return f"{'-' if value < timedelta() else ''}{seconds}{digits}s"


def _double(value: float) -> str:
    return repr(value).removesuffix(".0")


_WRITERS: dict[type, Callable[..., str]] = {
    str: str,
    bool: lambda value: "true" if value else "false",
    int: str,
    float: _double,
    datetime: _moment,
    timedelta: _seconds,
}


def as_json(value: object, level: int = 2) -> object | EvaluationError:
    """Return a value as Envoy's metadata can carry it: times as text, the rest as it is.

    An error for bytes, for NaN and Infinity, and for what is nested too deep; `level` is that of the value's own parts.
    """
    if isinstance(value, float) and not isfinite(value):
        return EvaluationError("a number that is not finite")
    if value is None or isinstance(value, bool | int | float | str | EvaluationError):
        return value
    if level > MAX_METADATA_DEPTH:
        return EvaluationError(f"more than {MAX_METADATA_DEPTH - 1} levels of nesting")
    if isinstance(value, list | tuple):
        items = [as_json(item, level + 1) for item in value]
        return _sound(items, items)
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        members = {key: as_json(item, level + 1) for key, item in value.items()}
        return _sound(members, members.values())
    return as_text(value)


def _sound(whole: object, items: Iterable[object]) -> object | EvaluationError:
    """Return the whole, or the first error in it."""
    return next((item for item in items if isinstance(item, EvaluationError)), whole)
