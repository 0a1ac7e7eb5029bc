"""Mutated CheckRequests against the running service, on both transports, beside an oracle with the same policies.

    python tests/fuzz/fuzz.py --cases 100000 --seed 7

Every answer must be a CheckResponse that is not empty, within a call that ends without a gRPC error; none may allow
what the oracle would not; the same bytes get the same answer from both transports; every case is on record once. The
first violation of each kind is printed with its bytes, and the exit code is 1. Progress goes to standard error.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.append(str(Path(__file__).parents[1] / "bench"))

import load
import servers
from checks import Check
from google.protobuf.message import DecodeError
from mutations import ANSWERED, SEEDS, cases
from oracle import LARGEST, POLICIES, may_allow
from promises import outcome

from authz._pb.envoy.service.auth.v3.external_auth_pb2 import CheckResponse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from servers import Server

TRANSPORTS = ("fast", "aio")
BATCH = 2000
READY = Check(path="/ready")
IN_FLIGHT = 64
OVERSIZED = b"\x0a" + b"\xff" * LARGEST


class Fuzzing:
    """What was sent, what came back, and what should not have."""

    def __init__(self) -> None:
        self.answers: dict[str, Counter[str]] = {name: Counter() for name in TRANSPORTS}
        self.expected: Counter[str] = Counter()
        self.violations: dict[str, bytes] = {}
        self.cases = 0

    def batch(self, running: dict[str, Server], messages: Sequence[bytes]) -> None:
        """Send messages to every transport and judge the answers."""
        self.cases += len(messages)
        self.expected.update(self._read(message) for message in messages)
        allowable = [may_allow(message) for message in messages]
        self.expected["allowable"] += sum(allowable)
        reasons = [self._ask(name, server, messages, allowable) for name, server in running.items()]
        for message, *told in zip(messages, *reasons, strict=True):
            if len(set(told)) > 1:
                self._violate(f"the transports differ: {told}", message)

    def _ask(self, name: str, server: Server, messages: Sequence[bytes], allowable: Sequence[bool]) -> list[str]:
        reasons = ["unanswered"] * len(messages)

        def answered(index: int, status: int, answer: bytes) -> None:
            reasons[index] = f"gRPC status {status}" if status else read(answer)

        measured = load.run(
            server.target, messages, calls=len(messages), in_flight=IN_FLIGHT, answered=answered, timeout="60S"
        )
        server.check_alive()
        for error, times in measured.errors.items():
            self._violate(f"{name}: {times} times {error}", messages[reasons.index("unanswered")])
        for message, allowed, reason in zip(messages, allowable, reasons, strict=True):
            self.answers[name][reason] += 1
            if reason not in REASONS:
                self._violate(f"{name}: {reason}", message)
            if reason == "allowed" and not allowed:
                self._violate(f"{name}: allowed, where the oracle denies", message)
        return reasons

    def _read(self, message: bytes) -> str:
        try:
            return outcome(message)
        except AssertionError as error:
            self._violate(f"a promise is broken: {error}", message)
            return "a broken promise"

    def _violate(self, what: str, message: bytes) -> None:
        self.violations.setdefault(what, message)

    def records(self, name: str, folder: Path) -> None:
        """Compare what is on record with what was answered."""
        lines = (folder / f"{name}.out").read_bytes().splitlines()
        on_record = Counter(record["reason"] for record in map(json.loads, lines) if "reason" in record)
        on_record["allowed"] -= 1  # the check that showed the service to be ready
        if on_record != self.answers[name]:
            self._violate(f"{name}: on record are {dict(on_record - self.answers[name])} more", b"")


REASONS = frozenset(
    (
        "allowed",
        "deny_rule",
        "no_policy",
        "no_rule",
        "rule_error",
        "ambiguous_request",
        "malformed",
        "body_too_large",
        "redirect_rule",
        "preflight",
        "invalid_body",
        "unsupported_media_type",
    )
)
"""What these policies can lead to; a fault of ours, an overload or a missed deadline is a finding."""


def read(answer: bytes) -> str:
    """Return the reason of an answer, or what is wrong with it."""
    try:
        response = CheckResponse.FromString(answer)
    except DecodeError:
        return "no CheckResponse"
    reason = response.dynamic_metadata.fields["reason"].string_value
    if not answer or not response.HasField("status"):
        return "an empty answer"
    if (response.status.code == 0) != (reason == "allowed") or response.HasField("error_response"):
        return "an answer that contradicts itself"
    if response.HasField("ok_response" if reason == "allowed" else "denied_response"):
        return reason
    return "an answer without what it means"


def stream(count: int, seed: int) -> Iterator[bytes]:
    """Yield the messages of a run: whole, empty, oversized and undecodable ones, and then damaged ones."""
    rng = random.Random(seed)
    first = [*SEEDS, *ANSWERED, b"", OVERSIZED, b"\xff", rng.randbytes(1000)]
    yield from islice(first, count)
    yield from cases(max(0, count - len(first)), seed)


def fuzz(count: int, seed: int, folder: Path, served: str = POLICIES) -> Fuzzing:
    """Run the cases against both transports that serve these policies; all their files live in `folder`."""
    policies = folder / "policies"
    policies.mkdir()
    (policies / "fuzz.yaml").write_text(served)
    fuzzing, begun = Fuzzing(), time.monotonic()
    with ExitStack() as stack:
        flags = ("--check-max-message", f"{LARGEST}B", "--log-level", "error")
        running = {
            name: stack.enter_context(servers.authz(policies, folder, name, "--transport", name, *flags, ready=READY))
            for name in TRANSPORTS
        }
        messages = stream(count, seed)
        while batch := list(islice(messages, BATCH)):
            fuzzing.batch(running, batch)
            rate = fuzzing.cases / (time.monotonic() - begun)
            sys.stderr.write(f"\r{fuzzing.cases} of {count} cases, {rate:.0f}/s, {len(fuzzing.violations)} violations ")
    sys.stderr.write("\n")
    for name in TRANSPORTS:
        fuzzing.records(name, folder)
    return fuzzing


def main() -> int:
    """Run the cases and say what became of them; 1 if anything should not have."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        fuzzing = fuzz(arguments.cases, arguments.seed, Path(folder))
    for what, message in fuzzing.violations.items():
        sys.stdout.write(f"VIOLATION of seed {arguments.seed}: {what}\n{message[:4096].hex()}\n")
    sys.stdout.write(f"{fuzzing.cases} cases, read: {dict(sorted(fuzzing.expected.items()))}\n")
    for name, answers in fuzzing.answers.items():
        sys.stdout.write(f"{name:4}: {dict(sorted(answers.items()))}\n")
    return 1 if fuzzing.violations else 0


if __name__ == "__main__":
    raise SystemExit(main())
