"""Secrets that expressions use and never see: the engine gets a number, the bytes stay here.

A secret shows itself nowhere: not in an answer, a record, an explanation or a log, for what is bound is not the secret.
Comparing with what a caller sent takes as long for a near miss as for anything else.
"""

from __future__ import annotations

import hmac

from authz._pb.authz.v1.vocabulary_pb2 import Secret as Handle
from authz.cel.indexes import Indexed, indexed


class Secret(Indexed):
    """The value of a variable of type `SECRET`."""

    __slots__ = ("_content",)

    def __init__(self, content: bytes) -> None:
        super().__init__(None)
        self._content = content
        self.fitted = Handle(name=str(self.number))

    def __repr__(self) -> str:
        return "<secret>"

    def sign(self, content: bytes) -> str:
        """Return the HMAC-SHA-256 of bytes (RFC 2104), in lower-case hex."""
        return hmac.digest(self._content, content, "sha256").hex()


def hmac_sha256(handle: Handle, content: str | bytes) -> str:
    """Return the HMAC-SHA-256 of a text (in UTF-8) or of bytes under a secret, in lower-case hex."""
    return indexed(int(handle.name), Secret).sign(content.encode() if isinstance(content, str) else content)


def equal(left: str, right: str) -> bool:
    """Return whether two texts are the same, in a time that does not tell where they differ."""
    return hmac.compare_digest(left.encode(), right.encode())
