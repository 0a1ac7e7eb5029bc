"""Which policies can never change, because of how they are mounted.

A Kubernetes `subPath` mount binds one file, or one folder of one `..timestamp`, and keeps it when the ConfigMap is
updated; a container's bind mount of a single file keeps the file that an editor has since replaced. Both show in
`/proc/self/mountinfo` (proc(5)): field 4 is what is mounted, field 5 where.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MOUNTINFO = Path("/proc/self/mountinfo")

_ESCAPE = re.compile(r"\\([0-7]{3})")


def pinned(sources: Sequence[Path], files: Iterable[str], mountinfo: str) -> tuple[str, ...]:
    """Name the mounts at or under `sources` that updates don't reach; `files` are the paths that were read."""
    folders = [source.absolute() for source in sources]
    singles = {str(Path(file).absolute()) for file in files}
    return tuple(
        point
        for root, point in _mounts(mountinfo)
        if any(Path(point).is_relative_to(folder) for folder in folders)
        and (point in singles or any(part.startswith("..") for part in root.split("/")))
    )


def _mounts(mountinfo: str) -> Iterable[tuple[str, str]]:
    for line in mountinfo.splitlines():
        fields = line.split(" ")
        if len(fields) > 4:
            yield _plain(fields[3]), _plain(fields[4])


def _plain(field: str) -> str:
    return _ESCAPE.sub(lambda match: chr(int(match[1], 8)), field)
