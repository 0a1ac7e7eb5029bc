"""A folder for what a verb needs while it runs: sockets, configurations, logs. Gone when it ends.

The only place of the verbs that asks for one: a container without `/tmp` is told what it lacks. Who needs one runs
processes in it, and whatever ends the verb ends them first (`interrupts`).
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from authz.cli.interrupts import orderly
from authz.config.values import too_long
from authz.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

SOCKET = "valkey.sock"
"""The longest name of a socket in one."""


@contextmanager
def scratch(verb: str) -> Iterator[Path]:
    """Make a folder that lasts as long as the block; raises `Unavailable` where there is room for none."""
    with orderly(), tempfile.TemporaryDirectory(prefix=f"authz-{verb}-", dir=_place(verb)) as folder:
        if long := too_long(f"{folder}/{SOCKET}"):
            raise Unavailable(f"authz {verb} makes sockets below {Path(folder).parent}, which {long} (set TMPDIR)")
        yield Path(folder)


def _place(verb: str) -> str:
    try:
        return tempfile.gettempdir()
    except FileNotFoundError:
        wanted = "none of TMPDIR, /tmp, /var/tmp and the folder it is run in can be written to"
        mend = "set TMPDIR to a folder that can; in a container mount a tmpfs, or in Kubernetes an emptyDir, at /tmp"
        raise Unavailable(f"authz {verb} needs a folder for what it makes while it runs: {wanted} ({mend})") from None
