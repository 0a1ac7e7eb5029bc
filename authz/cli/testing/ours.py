"""Which of the files called `*_test.yaml` are tests of policies: other programs have files of this name too.

It is asked before anything else is imported (`plugin`), so it looks at bytes and reads no YAML.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.files import whole

if TYPE_CHECKING:
    from pathlib import Path

_MARKS = (b"authz/", b"PolicyTest")


def is_ours(file: Path) -> bool:
    """Say whether a file says that it is one: by `apiVersion` or by `kind`, so that half of a head is a fault."""
    content = whole(file)
    return any(mark in content for mark in _MARKS)
