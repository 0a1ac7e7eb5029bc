"""The body of one request, read only when somebody asks.

A rule that does not look at the body never pays for it; one that does gets a complete document or an error, and an
error denies. What Envoy cut off, did not send or could not decode is never taken for an empty body.
"""

from __future__ import annotations

from authz.content.json import MAX_BYTES, JSONError, loads
from authz.content.media import media_type
from authz.model import BodyState, Request


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

    def _read(self) -> None:
        self._error = _unreadable(self._request)
        if self._error:
            return
        try:
            self._value = loads(self._request.body, max_bytes=self._max_bytes)
        except JSONError as error:
            self._error = f"the body is {error}" if str(error).startswith("not") else f"the body has {error}"


def _unreadable(request: Request) -> str:
    """Return why a body cannot be JSON whatever its bytes are, or nothing."""
    if request.body_state is not BodyState.COMPLETE:
        return f"the body is {request.body_state}"
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        return "the body is compressed"
    found = media_type(request.headers.get("content-type", ""))
    return "" if found is not None and found.is_json else "the body is not said to be JSON"
