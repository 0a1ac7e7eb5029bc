"""What is said of an address that can't be listened on: which, why, and how it is mended."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from authz.listening import socket_refused, tcp_refused

STRANGER = 65534

BIND = """
import encodings.idna, os, socket, sys
from pathlib import Path
from authz.transport.address import read_addresses
from authz.errors import Unavailable
os.setgroups([]); os.setresgid(*[int(sys.argv[2])] * 3); os.setresuid(*[int(sys.argv[2])] * 3)
try:
    read_addresses([sys.argv[1]])[0].prepare(reuse_port=False)
except Unavailable as error:
    print(error)
"""
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else")


def told(address: str) -> str:
    """Return what somebody who is not root is told of an address."""
    command = [sys.executable, "-c", BIND, address, str(STRANGER)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.rstrip("\n")


def opened(folder: Path) -> None:
    """Let everybody look into a folder of this run, and into those above it."""
    for each in (folder, *folder.parents):
        if each.stat().st_uid == os.geteuid() and not each.stat().st_mode & 0o001:
            each.chmod(0o711)


@as_root
def test_a_folder_that_is_not_ours_is_named_with_its_owner(tmp_path: Path) -> None:
    """The usual fault of a mounted folder: it is root's, and the service is not."""
    opened(tmp_path)
    (tmp_path / "run").mkdir(mode=0o755)
    (tmp_path / "shut").mkdir(mode=0o700)
    run, shut = tmp_path / "run", tmp_path / "shut"
    assert told(f"unix://{run}/s").startswith(
        f"can't listen on unix://{run}/s: user {STRANGER} may not write to {run}, which is user 0's, group 0's, "
        "with mode 755 (give it to that user"
    )
    assert f": user {STRANGER} may not look into {shut}, which is user 0's" in told(f"unix://{shut}/s")


@pytest.mark.skipif(
    Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text().strip() != "1024", reason="no port is privileged"
)
@as_root
def test_a_port_that_needs_a_privilege_is_told_as_one() -> None:
    """Not "permission denied" alone: nobody has denied anything that could be looked up."""
    assert told("127.0.0.1:80") == (
        "can't listen on 127.0.0.1:80: permission denied (ports below 1024 need a privilege: choose one above, "
        "or give CAP_NET_BIND_SERVICE)"
    )


def test_a_file_system_that_is_read_only_is_told_as_one(tmp_path: Path) -> None:
    """A container's usual root: the folder's mode would lead astray."""
    error = OSError(errno.EROFS, "Read-only file system")
    assert str(socket_refused(tmp_path / "s", error)) == (
        f"can't listen on unix://{tmp_path}/s: {tmp_path} is on a read-only file system "
        "(mount a volume there: emptyDir, or a tmpfs)"
    )


@pytest.mark.parametrize(
    ("number", "cause"),
    [
        (errno.EADDRNOTAVAIL, "(no interface here has that address: 0.0.0.0 or [::] is all of them)"),
        (errno.EAFNOSUPPORT, "(there is no IPv6 here: choose an IPv4 address)"),
        (errno.EADDRINUSE, "(choose another port, or end what has it: `ss -ltnp sport = :9191` says what)"),
        (errno.EIO, "input/output error"),
    ],
)
def test_what_tcp_refuses_is_mended(number: int, cause: str) -> None:
    """Each cause has its remedy; one that nobody thought of is told as it is."""
    message = str(tcp_refused("a:9191 for the admin port", 9191, OSError(number, os.strerror(number))))
    assert message.startswith("can't listen on a:9191 for the admin port: ")
    assert message.endswith(cause)
