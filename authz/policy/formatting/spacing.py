"""No blanks at the ends of lines, no more than one blank line in a row, one line end at the end of the file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from authz.policy.formatting.places import line_of, scalars

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authz.policy.source import Node


def spaced(text: str, documents: Sequence[Node]) -> str:
    """Return a text without what nobody sees; what stands in texts over several lines stays."""
    inside = {
        line
        for document in documents
        for one, _, _ in scalars(document)
        for line in range(line_of(text, one.start), line_of(text, max(one.start, one.end - 1)))
    }
    made: list[str] = []
    for number, line in enumerate(text.split("\n")):
        kept = line if number in inside else line.rstrip()
        if kept or number in inside or (made and made[-1]):
            made.append(kept)
    return re.sub(r"\n+\Z", "", "\n".join(made)) + "\n"
