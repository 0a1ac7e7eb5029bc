"""The servers that benchmarks compare: processes of their own, each on one core.

    python tests/bench/servers.py aio 127.0.0.1:9191         # serves a no-op until it is told to end

No-ops answer one constant "allow" and never look at the request: what is left is what the transport costs. `aio` and
`threads` are grpcio's own two servers, as cheap as they get (bytes in, bytes out, no interceptors), `transport-aio` and
`transport-fast` are ours. The load generator gets the first core this process may use and the server the last one, so
that neither pays for the other.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import load
from checks import allows
from http2 import ConnectionLostError

from authz.transport import TransportName, open_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from checks import Check

    from authz.model import Reason
    from authz.transport import Call

ALLOW = b"\x0a\x00\x1a\x00"  # CheckResponse{status{}, ok_response{}}
DENY = b"\x0a\x02\x08\x07"  # CheckResponse{status{code: PERMISSION_DENIED}}
SERVICE = "envoy.service.auth.v3.Authorization"
READY_WITHIN = 180.0  # seconds, ten thousand documents on a busy machine included
END_WITHIN = 10.0
LOAD_CORE, SERVER_CORE = (pick(os.sched_getaffinity(0)) for pick in (min, max))  # the same where there is only one


class ServerError(Exception):
    """A server did not start, or ended by itself."""


class Server:
    """One running server: where it is, and what it has used so far. Its children count as itself."""

    def __init__(self, process: subprocess.Popen[bytes], target: str) -> None:
        self._process = process
        self.target = target

    def cpu(self) -> float:
        """Return the CPU seconds used since the start, by all threads."""
        spent = 0
        for pid in self._pids():
            for task in Path(f"/proc/{pid}/task").iterdir():
                spent += int((task / "schedstat").read_text().split()[0])
        return spent / 1e9

    def resident(self) -> int:
        """Return the bytes of memory that are resident; a page that two processes share counts in both."""
        lines = [line for pid in self._pids() for line in Path(f"/proc/{pid}/status").read_text().splitlines()]
        return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))

    def check_alive(self) -> None:
        """Raise ServerError if the process has ended."""
        if (status := self._process.poll()) is not None:
            raise ServerError(f"{' '.join(map(str, self._process.args))} ended with status {status}")

    def _pids(self) -> list[int]:
        pids = [self._process.pid]
        for pid in pids:  # grows while it is walked: children of children too
            for task in Path(f"/proc/{pid}/task").iterdir():
                pids += [int(child) for child in (task / "children").read_text().split()]
        return pids


class Others:
    """What others than this process and a server work on the two cores, from the making of this on."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._begun, self._before = time.perf_counter(), self._foreign()

    def share(self) -> float:
        """Return the share of the cores that others had; what a hypervisor kept for itself is theirs."""
        seconds = (time.perf_counter() - self._begun) * len({LOAD_CORE, SERVER_CORE})
        return max(0.0, (self._foreign() - self._before) / seconds)

    def _foreign(self) -> float:
        cores = {f"cpu{core}" for core in (LOAD_CORE, SERVER_CORE)}
        lines = [line.split() for line in Path("/proc/stat").read_text().splitlines()]
        ticks = [list(map(int, times[:8])) for name, *times in lines if name in cores]
        worked = sum(sum(each) - each[3] - each[4] for each in ticks)  # without idle and iowait
        return worked / os.sysconf("SC_CLK_TCK") - time.process_time() - self._server.cpu()


@contextmanager
def running(
    command: Sequence[str], target: str, *, output: Path, core: int = SERVER_CORE, ready: Callable[[str], bool]
) -> Iterator[Server]:
    """Run `command` on one core until the block ends; yields once `ready(target)`.

    Standard output goes to the file `output`, standard error beside it (`.log`). Raises ServerError when the process
    ends or is not ready in time.
    """
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})  # a child begins where its parent may run
    try:
        with output.open("ab") as out, output.with_suffix(".log").open("ab") as errors:
            process = subprocess.Popen(command, stdout=out, stderr=errors)
    finally:
        os.sched_setaffinity(0, before)
    server = Server(process, target)
    try:
        deadline = time.monotonic() + READY_WITHIN
        while not ready(target):
            server.check_alive()
            if time.monotonic() > deadline:
                raise ServerError(f"nothing answers at {target} within {READY_WITHIN:g} s")
            time.sleep(0.02)
        yield server
        server.check_alive()
    finally:
        _end(process)


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(END_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def noop(kind: str, folder: Path) -> Iterator[Server]:
    """Run a no-op server (`NOOPS`) on a Unix socket in `folder`."""
    target = f"unix:{folder}/{kind}.sock"
    command = [sys.executable, str(Path(__file__)), kind, target]
    with running(command, target, output=folder / f"{kind}.out", ready=lambda target: allows_at(target, b"")) as server:
        yield server


@contextmanager
def authz(policies: Path, folder: Path, name: str, *flags: str, ready: Check) -> Iterator[Server]:
    """Run the whole service, admin port included, on a Unix socket in `folder`; it is ready once it allows `ready`.

    Its decision records are in `folder`, in the file `name`.out.
    """
    target = f"unix://{folder}/{name}.sock"
    command = [sys.executable, "-P", "-m", "authz", "serve", "--policies", str(policies), "--listen", target]
    command += ["--admin", "127.0.0.1:0", "--drain", "0s", *flags]
    payload = ready.payload(0)
    output = folder / f"{name}.out"
    with running(command, target, output=output, ready=lambda target: allows_at(target, payload)) as server:
        yield server


def allows_at(target: str, payload: bytes) -> bool:
    """Whether the server at `target` is there and allows."""
    answers: list[bool] = []

    def note(_index: int, status: int, message: bytes) -> None:
        answers.append(status == 0 and allows(message))

    try:
        load.run(target, [payload], calls=1, answered=note)
    except (OSError, ConnectionLostError):
        return False
    return answers == [True]


async def _aio(address: str) -> None:
    async def check(_request: bytes, _context: grpc.aio.ServicerContext) -> bytes:
        return ALLOW

    server = grpc.aio.server()
    server.add_generic_rpc_handlers((_handlers(check),))
    server.add_insecure_port(address)
    await server.start()
    await server.wait_for_termination()


def _threads(address: str) -> None:
    def check(_request: bytes, _context: grpc.ServicerContext) -> bytes:
        return ALLOW

    server = grpc.server(ThreadPoolExecutor(max_workers=8))
    server.add_generic_rpc_handlers((_handlers(check),))
    server.add_insecure_port(address)
    server.start()
    server.wait_for_termination()


def _handlers(check: object) -> grpc.GenericRpcHandler:
    return grpc.method_handlers_generic_handler(SERVICE, {"Check": grpc.unary_unary_rpc_method_handler(check)})


class _Noop:
    """A service that allows, for our own transports."""

    def check(self, _message: bytes, call: Call) -> None:
        call.answer(ALLOW)

    def refuse(self, _reason: Reason, call: Call) -> None:
        call.answer(DENY)

    def health(self, _service: str) -> bool:
        return True


def _ours(transport: TransportName, address: str) -> None:
    server = open_server(_Noop(), listen=[address], last_resort=DENY, transport=transport)
    server.start()
    signal.pause()


NOOPS = {
    "aio": lambda address: asyncio.run(_aio(address)),
    "threads": _threads,
    "transport-aio": partial(_ours, TransportName.AIO),
    "transport-fast": partial(_ours, TransportName.FAST),
}

if __name__ == "__main__":
    NOOPS[sys.argv[1]](sys.argv[2])
