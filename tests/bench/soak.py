"""Keep one transport busy for long, with everything a client may do to it, and see whether it stays as it was.

    python tests/bench/soak.py --calls 1000000 --transport fast

A server process answers checks at once, from another thread, or refuses them for their size; clients send whole
messages, empty ones, garbage and oversized ones, and give a tenth of their calls up at a random moment. Every call
that was not given up must get the one answer that fits its message. Ends with 1 if any did not, if the server died, or
if its resident memory after the last round is more than 5 % and 4 MiB above that after the second.
"""

from __future__ import annotations

import argparse
import queue
import signal
import sys
import tempfile
import threading
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import built
import load
import servers
from http2 import ConnectionLostError

from authz.transport import TransportName, open_server

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authz.model import Reason
    from authz.transport import Call

ROUNDS = 10
LARGEST = 4096  # bytes of a message that is still checked
LATER = b"later"
CANCELLED = 0.1
SLACK = 4 * 1024**2

PAYLOADS = (b"now" + b"x" * 1100, LATER + b"y" * 1100, b"", b"\xff" * 300, b"z" * (LARGEST + 1), b"now" + b"w" * 200)


def expected(payload: bytes) -> bytes:
    """Return the answer that fits a message."""
    if len(payload) > LARGEST:
        return b"refused body_too_large"
    return b"%d bytes" % len(payload)


class Echo:
    """A service whose answer is the length of the message; some answers come from another thread, as a limiter's do."""

    def __init__(self) -> None:
        self._later: queue.SimpleQueue[tuple[bytes, Call]] = queue.SimpleQueue()
        threading.Thread(target=self._answer_later, daemon=True).start()

    def check(self, message: bytes, call: Call) -> None:
        if message.startswith(LATER):
            self._later.put((message, call))
        else:
            call.answer(expected(message))

    def refuse(self, reason: Reason, call: Call) -> None:
        call.answer(b"refused " + reason.encode())

    def health(self, _service: str) -> bool:
        return True

    def _answer_later(self) -> None:
        while True:
            message, call = self._later.get()
            call.answer(expected(message))


def serve(transport: str, target: str) -> None:
    """Serve until told to end."""
    server = open_server(
        Echo(),
        listen=[target],
        last_resort=b"last resort",
        transport=TransportName(transport),
        max_message_bytes=LARGEST,
    )
    server.start()
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    server.stop(1.0)


def soak(calls: int, transport: str, folder: Path) -> bool:
    """Run the rounds, print each; whether all was well."""
    target = f"unix:{folder}/soak.sock"
    command = [sys.executable, __file__, "--serve", target, "--transport", transport]
    wrong: Counter[str] = Counter()
    resident: list[int] = []

    def answered(index: int, status: int, message: bytes) -> None:
        if status or message != expected(PAYLOADS[index]):
            wrong[f"payload {index}: status {status}, {message[:40]!r}"] += 1

    with servers.running(command, target, output=folder / "soak.out", ready=_answers) as server:
        for number in range(ROUNDS):
            measured = load.run(
                target,
                PAYLOADS,
                calls=calls // ROUNDS,
                in_flight=128,
                connections=4,
                cancel_share=CANCELLED,
                answered=answered,
                seed=number,
            )
            wrong.update(measured.errors)
            resident.append(server.resident())
            print(
                f"round {number + 1}: {measured.calls} answered, {measured.cancelled} given up, "
                f"{measured.rate:.0f}/s, p99 {measured.p99 * 1e3:.1f} ms, {resident[-1] / 1024**2:.1f} MiB resident",
                flush=True,
            )
    for what, count in wrong.most_common(10):
        print(f"wrong: {count} times {what}")
    grown = resident[-1] - resident[1]
    print(f"memory grew by {grown / 1024**2:.1f} MiB since the second round")
    return not wrong and grown <= max(SLACK, resident[1] // 20)


def _answers(target: str) -> bool:
    try:
        return not load.run(target, [b""], calls=1).errors
    except (OSError, ConnectionLostError):
        return False


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a soak, or the server of one, from the command line."""
    parser = argparse.ArgumentParser(description="Soak one transport.")
    built.option(parser)
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--transport", choices=["fast", "aio"], default="fast")
    parser.add_argument("--serve", metavar="TARGET", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.serve:
        serve(options.transport, options.serve)
        return 0
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        return 0 if soak(options.calls, options.transport, Path(folder)) else 1


if __name__ == "__main__":
    if "--serve" not in sys.argv:  # the server measures what its soak has chosen, and a test has chosen nothing
        built.choose()
    sys.exit(main())
