"""What several processes write to one standard output is not mixed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

from authz.audit import StdoutSink
from authz.server.turns import Turn, turns

if TYPE_CHECKING:
    from pathlib import Path

ROUNDS = 200

WRITER = f"""
import sys
from authz.audit import StdoutSink
from authz.server.turns import Turn
sink = StdoutSink(turn=Turn())
lines = ('"' + sys.argv[1] * 1000 + '"\\n').encode() * 50
for _ in range({ROUNDS}):
    sink.write(lines)
"""


def test_lines_of_several_workers_stay_whole() -> None:
    """A pipe takes four kilobytes at once and no more: without turns, the lines of others come in between."""
    read, write = os.pipe()
    shared = turns()
    command = [sys.executable, "-c", WRITER]
    workers = [subprocess.Popen([*command, name], stdin=shared, stdout=write) for name in "ab"]
    os.close(write)
    with os.fdopen(read, "rb") as reader:
        seen = Counter(json.loads(line) for line in reader)
    assert [worker.wait(30) for worker in workers] == [0, 0]
    os.close(shared)
    assert seen == {"a" * 1000: ROUNDS * 50, "b" * 1000: ROUNDS * 50}


def test_who_can_have_no_turn_writes_all_the_same(tmp_path: Path) -> None:
    """Records that may be mixed are better than none."""
    read, write = os.pipe()
    with (tmp_path / "unlockable").open("xb") as none:
        descriptor = none.fileno()
    StdoutSink(write, Turn(descriptor)).write(b"{}\n")
    assert os.read(read, 10) == b"{}\n"
    os.close(read)
    os.close(write)
