"""Where in a page of HTML a value may stand.

Escaping `<`, `>`, `&` and quotes makes a value harmless in text, in `title` and `textarea`, and in quoted attributes
that are text. It does not in scripts, styles, comments, names, event handlers, or where a URL begins. So places that
are known to be safe are found, with the parser of the standard library, and every other one is refused when the policy
is read. Nothing here knows what a value is.
"""

from __future__ import annotations

import re
from html import escape as _escape
from html.parser import HTMLParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_MARK = re.compile("\ue000(\\d+)\ue001")
_MARKS = re.compile("[\ue000\ue001]")
_QUOTED = re.compile(r"""(?<!=)=\s*(?:"([^"]*)"|'([^']*)')""")

_OPENED = re.compile(r"<[^\s<]")

_OPAQUE = frozenset(
    {
        *("script", "style", "iframe", "noembed", "noframes", "noscript", "xmp", "plaintext", "template"),
        *("svg", "math", "object", "embed"),
    }
)
"""Elements whose content is no plain text, or is read by rules of its own."""

_TEXT = frozenset({"alt", "class", "datetime", "id", "lang", "placeholder", "title", "value"})
"""Attributes whose value is text."""

_URLS = {"href": "a", "src": "img", "action": "form"}
"""Attributes whose value is a URL, and the element on which it may be part of one."""

_BEGUN = re.compile(r"https?://[^/?#\\]+[/?#]|/(?![/\\\ue000])|[?#]")
"""The beginning of a URL that says where it leads, so that what follows cannot."""


def escape(text: str) -> str:
    """Return a text as it stands in text and in quoted attributes."""
    return _escape(text, quote=True)


def unsafe(pieces: Sequence[str | object]) -> list[int]:
    """Return which pieces that are no text, counted among themselves, stand where escaping is not enough."""
    holes = sum(not isinstance(piece, str) for piece in pieces)
    numbers = iter(range(holes))
    page = "".join(
        _MARKS.sub(" ", piece) if isinstance(piece, str) else f"\ue000{next(numbers)}\ue001" for piece in pieces
    )
    places = _Places()
    places.feed(page)
    places.close()
    return [number for number in range(holes) if number not in places.safe]


class _Places(HTMLParser):
    """Collects the marks that stand in safe places."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.safe: set[int] = set()
        self._opaque: list[str] = []
        self._text = ""

    def handle_data(self, data: str) -> None:
        """Take text, which comes in pieces; what stands behind a `<` could make it a tag."""
        self._text = self._text[-2:] + data
        if _OPENED.search(self._text):
            self._text = "<."
        elif not self._opaque:
            self.safe.update(_numbers(data))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take what is in quoted attributes."""
        self._text = ""
        if not self._opaque:
            written = self.get_starttag_text() or ""
            quoted = {number for pair in _QUOTED.findall(written) for number in _numbers("".join(pair))}
            found = {
                number for name, value in attrs if _is_text(tag, name, value or "") for number in _numbers(value or "")
            }
            self.safe |= quoted & found
        if tag in _OPAQUE:
            self._opaque.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take a tag as browsers do, which do not see the slash."""
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        """Leave an element."""
        self._text = ""
        if self._opaque and self._opaque[-1] == tag:
            self._opaque.pop()


def _numbers(text: str) -> list[int]:
    return [int(number) for number in _MARK.findall(text)]


def _is_text(tag: str, name: str, value: str) -> bool:
    """Whether whatever a value is filled in with, an attribute stays what its author made it."""
    if name in _URLS:
        return _URLS[name] == tag and _BEGUN.match(value) is not None
    return name in _TEXT or name.startswith(("data-", "aria-"))
