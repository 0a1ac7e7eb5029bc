"""The body of one request, read only when somebody asks.

A rule that does not look at the body never pays for it; one that does gets a complete document or an error, and an
error denies. What Envoy cut off, did not send or could not decode is never taken for an empty body.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from authz.content.json import MAX_BYTES, JSONError, loads
from authz.content.media import FORM, media_type
from authz.errors import Refusal
from authz.model import BodyState, Request
from authz.paths import parse_query

_UNESCAPED = re.compile(r"[^!-~]")


class BodyError(ValueError):
    """A body that cannot be read as what was asked for; the message is for the operator and repeats none of it."""


_UNREAD = object()


class Body:
    """The body of `request`. Parsed at most once: asked again, it answers or raises the same."""

    __slots__ = ("_error", "_max_bytes", "_request", "_value")

    def __init__(self, request: Request, *, max_bytes: int = MAX_BYTES) -> None:
        self._request = request
        self._max_bytes = max_bytes
        self._value: object = _UNREAD
        self._error = ""

    def json(self) -> object:
        """Return the body as plain values: dict, list, str, int, float, bool, None.

        Raises `BodyError` unless the body is complete, is said to be JSON (`application/json` or `+json`, in UTF-8, not
        compressed) and has one meaning as such (`content.json`).
        """
        if self._value is _UNREAD and not self._error:
            self._read()
        if self._error:
            raise BodyError(self._error)
        return self._value

    def form(self) -> Mapping[str, Sequence[str]]:
        """Return the fields of an `application/x-www-form-urlencoded` body, every value of every name.

        Raises `BodyError` unless the body is complete, is said to be a form, and has one reading as such: escapes are
        UTF-8 and nothing else is written that needs one.
        """
        found = media_type(self._request.headers.get("content-type", ""))
        text = self._text("a form in UTF-8", is_fit=found is not None and found.name == FORM and found.is_utf8)
        if _UNESCAPED.search(text):
            raise BodyError("the body is no form: a character in it has to be escaped")
        try:
            return parse_query(text)
        except Refusal as refusal:
            raise BodyError(f"the body is no form: {refusal.detail.replace('the query', 'it')}") from None

    def text(self) -> str:
        """Return the body as text; raise `BodyError` unless it is complete, said to be text, and UTF-8."""
        found = media_type(self._request.headers.get("content-type", ""))
        return self._text(
            "text in UTF-8", is_fit=found is not None and found.name.startswith("text/") and found.is_utf8
        )

    def _text(self, what: str, *, is_fit: bool) -> str:
        if error := _unseen(self._request) or ("" if is_fit else f"the body is not said to be {what}"):
            raise BodyError(error)
        try:
            return self._request.body.decode()
        except UnicodeDecodeError:
            raise BodyError("the text of the body is not UTF-8") from None

    def _read(self) -> None:
        self._error = _unreadable(self._request)
        if self._error:
            return
        try:
            self._value = loads(self._request.body, max_bytes=self._max_bytes)
        except JSONError as error:
            self._error = f"the body is {error}" if str(error).startswith("not") else f"the body has {error}"


def _unseen(request: Request) -> str:
    """Return why a body cannot be read whatever it is said to be, or nothing."""
    if request.body_state is not BodyState.COMPLETE:
        return f"the body is {request.body_state}"
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        return "the body is compressed"
    return ""


def _unreadable(request: Request) -> str:
    """Return why a body cannot be JSON whatever its bytes are, or nothing."""
    if error := _unseen(request):
        return error
    found = media_type(request.headers.get("content-type", ""))
    return "" if found is not None and found.is_json else "the body is not said to be JSON"
