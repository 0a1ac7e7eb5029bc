"""From the bytes of one file to its documents and its faults.

Nothing is compiled here and no other file is looked at, so what a file reads as depends on its path and content only,
and can be kept as long as they stay.
"""

from __future__ import annotations

import msgspec

from authz.errors import Fault
from authz.policy.documents import Document


class FileReading(msgspec.Struct, frozen=True, kw_only=True):
    """What one file says: the documents that are whole, and every fault of those that are not."""

    file: str
    documents: tuple[Document, ...] = ()
    faults: tuple[Fault, ...] = ()
