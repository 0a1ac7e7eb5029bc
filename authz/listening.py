"""Why an address can't be listened on, in words: what stands in the way, and how that is mended.

The service's own addresses and the admin port say it alike. It looks at folders and at who runs this to say why;
whether a place can be had is tried where it is bound, never here.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

from authz.errors import Unavailable

if TYPE_CHECKING:
    from pathlib import Path

FIRST_FREE_PORT = 1024


def tcp_refused(address: str, port: int, error: OSError) -> Unavailable:
    """Return what is raised where a TCP address can't be bound; `address` may go on with what it is for."""
    mend = _MENDED.get(error.errno or 0, "")
    if error.errno == errno.EACCES and port < FIRST_FREE_PORT:
        mend = f"ports below {FIRST_FREE_PORT} need a privilege: choose one above, or give CAP_NET_BIND_SERVICE"
    if error.errno == errno.EADDRINUSE:
        mend = f"choose another port, or end what has it: `ss -ltnp sport = :{port}` says what"
    cause = (error.strerror or str(error)).lower()
    return Unavailable(f"can't listen on {address}: {cause}" + (f" ({mend})" if mend else ""))


def socket_refused(path: Path, error: OSError) -> Unavailable:
    """Return what is raised where a Unix socket can't be bound for the sake of its folder, and which folder."""
    return Unavailable(f"can't listen on unix://{path}: {_folder_at_fault(path, error)}")


def _folder_at_fault(path: Path, error: OSError) -> str:
    for folder in reversed(path.parents):
        if not os.path.lexists(folder):
            return f"there is no directory {folder} (make it, or in a container mount a volume that can be written)"
        if not folder.is_dir():
            return f"{folder} is no directory (choose another path, or move it away)"
        if not os.access(folder, os.X_OK, effective_ids=True):
            return f"user {os.geteuid()} may not look into {_owned(folder)} (let it be searched: chmod a+x {folder})"
    if error.errno == errno.EROFS:
        return f"{path.parent} is on a read-only file system (mount a volume there: emptyDir, or a tmpfs)"
    if error.errno in {errno.EACCES, errno.EPERM}:
        mend = "give it to that user, or to a group of theirs with mode 770; in Kubernetes by fsGroup"
        return f"user {os.geteuid()} may not write to {_owned(path.parent)} ({mend})"
    return f"{(error.strerror or str(error)).lower()} in {path.parent}"


def _owned(folder: Path) -> str:
    about = folder.stat()
    return (
        f"{folder}, which is user {about.st_uid}'s, group {about.st_gid}'s, with mode {stat.S_IMODE(about.st_mode):o}"
    )


_MENDED = {
    errno.EADDRNOTAVAIL: "no interface here has that address: 0.0.0.0 or [::] is all of them",
    errno.EAFNOSUPPORT: "there is no IPv6 here: choose an IPv4 address",
}
