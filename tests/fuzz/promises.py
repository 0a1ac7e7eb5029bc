"""What `wire.read` promises to everyone behind it, written apart from the code that sees to it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mutations import NOON

from authz import wire
from authz.errors import Refusal
from authz.model import BodyState, Reason

if TYPE_CHECKING:
    from authz.model import Request


def outcome(data: bytes) -> str:
    """Return `request` or why it was refused; raise `AssertionError` for a request that breaks a promise."""
    try:
        request = wire.read(data, now=NOON)
    except Refusal as refusal:
        reason = str(refusal.reason)
    else:
        keep_promises(request)
        return "request"
    assert reason in {Reason.MALFORMED, Reason.AMBIGUOUS_REQUEST}, reason
    return reason


def keep_promises(request: Request) -> None:
    """Assert what everyone behind `wire.read` relies on; written apart from the code that sees to it."""
    assert re.fullmatch(r"/(?:[A-Za-z0-9._~!$&'()*+,=:@/-]|%[0-9A-F]{2})*", request.path), request.path
    assert not re.search(r"//|(?:/|%2F|%5C)\.\.?(?:/|%2F|%5C|$)|%00|%0[AD]|%2E", request.path), request.path
    assert not re.search(r"[\x00-\x20\x7f#]", request.query), request.query
    assert re.fullmatch(r"[a-z0-9._-]+|\[[0-9a-f:.]+\]", request.host), request.host
    assert 0 <= request.port < 65536
    assert re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", request.method), request.method
    assert request.time > 0
    for name, value in request.headers.items():
        assert re.fullmatch(r"[!#$%&'*+.^_`|~0-9a-z-]+", name), name
        assert not re.search(r"[\0\r\n]", value), value
    assert not request.invalid_headers & request.headers.keys()
    assert not request.invalid_headers & {"authorization", "host", "content-length"}
    length = request.headers.get("content-length")
    if request.body_state is BodyState.COMPLETE:
        assert request.body
        assert length in {None, str(len(request.body))} or int(length) == len(request.body)
    if request.body_state is BodyState.ABSENT:
        assert not request.body
        assert length is None or not int(length)
