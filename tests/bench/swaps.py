"""Swap policies under load as a kubelet does, every other set broken, and see that nobody notices but by the answers.

    python tests/bench/swaps.py --swaps 2000

The policies of version N write N into every answer, by two documents, so an answer made of two versions shows. Each
swap is waited for: a valid one until answers name it, a broken one until the service says what is wrong with it. Then
calls must have been answered without exception, each by one version, on record under the generation which that version
is; the generation must be the number of valid versions; and resident memory must not have grown. Ends with 1 otherwise.
"""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import built
import load
import msgspec
import servers
from checks import Check, payloads

from authz._pb.envoy.service.auth.v3.external_auth_pb2 import CheckResponse
from policies import ConfigMap, many_documents

if TYPE_CHECKING:
    from collections.abc import Sequence

    from servers import Server

RATE = 400.0  # calls per second meanwhile
SPAN = 0.5  # seconds of load between two looks at the clock
NOTICED_WITHIN = 20.0
SAMPLES = 40
SLACK = 6 * 1024**2
NEIGHBOURS = 50  # documents that never change

CHECKS = (Check(path="/open/1"), Check(path="/shut/1", allowed=False), Check(path="/open/2?x=1"))

DOCUMENTS = """\
apiVersion: authz/v1
kind: Policy
metadata: {{name: {name}}}
spec:
  match: [{{paths: ["/**"]}}]
  rules:
    - name: everyone
      allow: 'true'
      response_headers: {{set: {{x-{name}: "{version}"}}}}
---
apiVersion: authz/v1
kind: Guardrail
metadata: {{name: shut-{name}}}
spec:
  rules:
    - {{name: version-{version}, deny: 'request.path.startsWith("/shut/")', message: "{version}"}}
"""


def version(number: int) -> dict[str, str]:
    """Return the files of a version; odd ones are broken, each in its own words."""
    files = {f"{name}.yaml": DOCUMENTS.format(name=name, version=number) for name in ("a", "b")}
    if number % 2:
        files["b.yaml"] = files["b.yaml"].replace("allow: 'true'", f"allow: no_such_name_{number}")
    return files | many_documents(NEIGHBOURS)


def told(answer: bytes) -> tuple[str, frozenset[str]]:
    """Return the decision id of an answer and every version that it names."""
    response = CheckResponse.FromString(answer)
    fields = response.dynamic_metadata.fields
    if response.status.code == 0:
        headers = response.ok_response.response_headers_to_add
        named = {one.header.value for one in headers if one.header.key in {"x-a", "x-b"}}
    else:
        problem = json.loads(response.denied_response.body)
        named = {problem.get("detail", problem["reason"]), fields["rule"].string_value.rpartition("-")[2]}
    return fields["decision_id"].string_value, frozenset(named)


class Report(msgspec.Struct, kw_only=True):
    """What a run saw. `wrong` counts by kind what should not have been; `resident` is bytes over time."""

    swaps: int
    answers: int = 0
    versions: int = 0
    seconds: float = 0.0
    generation: int = 0
    resident: list[int] = []
    wrong: Counter[str] = msgspec.field(default_factory=Counter)

    @property
    def grown(self) -> int:
        """Bytes by which the last quarter of the samples lies above the second."""
        quarter = max(1, len(self.resident) // 4)
        return int(median(self.resident[-quarter:]) - median(self.resident[quarter : 2 * quarter]))

    @property
    def flat(self) -> bool:
        """Whether memory stayed as it was."""
        return self.grown <= max(SLACK, self.resident[0] // 20)


class Swapping:
    """A running service, the folder it watches, and what its answers named so far."""

    def __init__(self, server: Server, policies: ConfigMap, admin: int, swaps: int) -> None:
        self.report = Report(swaps=swaps)
        self.named: dict[str, str] = {}
        self._server = server
        self._policies = policies
        self._admin = admin
        self._latest = ""
        self._done = threading.Event()

    def run(self) -> None:
        """Swap in a thread of its own, and load until it is through."""
        messages = payloads(CHECKS)
        begun = time.monotonic()
        swapper = threading.Thread(target=self._swap_all)
        swapper.start()
        while not self._done.is_set():
            measured = load.run(self._server.target, messages, seconds=SPAN, rate=RATE, answered=self._answered)
            self.report.answers += measured.calls
            self.report.wrong.update(measured.errors)
        swapper.join()
        self.report.seconds = time.monotonic() - begun
        self.report.versions = len(set(self.named.values()))
        self.report.generation = self._status()["generation"]

    def _answered(self, index: int, status: int, answer: bytes) -> None:
        if status:
            return
        identifier, named = told(answer)
        if (CheckResponse.FromString(answer).status.code == 0) != CHECKS[index].allowed:
            self.report.wrong["a wrong decision"] += 1
        if len(named) != 1:
            self.report.wrong[f"an answer of versions {sorted(named)}"] += 1
        self._latest = self.named[identifier] = max(named)

    def _swap_all(self) -> None:
        try:
            for number in range(1, self.report.swaps + 1):
                self._swap(number)
                if number % max(1, self.report.swaps // SAMPLES) == 0:
                    self.report.resident.append(self._server.resident())
        finally:
            self._done.set()

    def _swap(self, number: int) -> None:
        old = (self._policies.folder / "..data").resolve()
        self._policies.swap(self._policies.stage(version(number)))
        shutil.rmtree(old)
        broken = number % 2
        deadline = time.monotonic() + NOTICED_WITHIN
        while not (self._is_refused(number) if broken else self._latest == str(number)):
            if time.monotonic() > deadline:
                self.report.wrong["a swap that was not noticed"] += 1
                return
            time.sleep(0.002)

    def _is_refused(self, number: int) -> bool:
        return f'no_such_name_{number}"' in " ".join(self._status()["policy_faults"])

    def _status(self) -> dict[str, object]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self._admin}/status", timeout=10) as response:
            return json.load(response)


def check_records(report: Report, named: dict[str, str], records: Path) -> None:
    """Compare the generation on record with the version that the answer named: version 2k is generation k + 1."""
    seen = set()
    for line in records.read_bytes().splitlines():
        record = json.loads(line)
        if record.get("id") in named:
            seen.add(record["id"])
            report.wrong["a record of another generation"] += record["generation"] != int(named[record["id"]]) // 2 + 1
    report.wrong["an answer that is not on record"] += len(named.keys() - seen)
    report.wrong["a generation that counts something else"] += report.generation != report.swaps // 2 + 1
    report.wrong["memory that grew"] += not report.flat
    report.wrong += Counter()


def swaps(number: int, folder: Path) -> Report:
    """Start the service in `folder`, swap so many times, and say what was seen."""
    policies = ConfigMap(folder / "policies", version(0))
    target = f"unix://{folder}/swaps.sock"
    command = [sys.executable, "-P", "-m", "authz", "serve", "--policies", str(policies.folder), "--listen", target]
    admin = free_port()
    command += ["--admin", f"127.0.0.1:{admin}", "--drain", "0s", "--log-level", "warning"]
    output = folder / "swaps.out"
    with servers.running(command, target, output=output, ready=_answers) as server:
        swapping = Swapping(server, policies, admin, number)
        swapping.run()
    check_records(swapping.report, swapping.named, output)
    return swapping.report


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _answers(target: str) -> bool:
    try:
        return not load.run(target, payloads(CHECKS[:1]), calls=1).errors
    except (OSError, load.ConnectionLostError):
        return False


def main(arguments: Sequence[str] | None = None) -> int:
    """Swap from the command line; 1 if anything was not as it should be."""
    parser = argparse.ArgumentParser(description="Swap policies under load.")
    built.option(parser)
    parser.add_argument("--swaps", type=int, default=2000)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="swaps-") as folder:
        report = swaps(options.swaps, Path(folder))
    print(f"{report.swaps} swaps in {report.seconds:.0f} s, {report.answers} answers, {report.versions} versions seen")
    print(
        f"generation {report.generation}, memory {report.resident[0] / 1024**2:.1f} MiB, {report.grown / 1024:+.0f} KiB"
    )
    for what, times in report.wrong.items():
        print(f"WRONG: {times} times {what}")
    return 1 if report.wrong else 0


if __name__ == "__main__":
    built.choose()
    sys.exit(main())
