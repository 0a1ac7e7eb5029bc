"""The demo does what it prints, and shows what an edit does, broken or not."""

from __future__ import annotations

import http.client
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

SHOP = Path(__file__).parents[3] / "policies" / "shop"
DEMO = [sys.executable, "-m", "authz", "demo", "--port", "0"]
WITHIN = 60.0

pytestmark = pytest.mark.slow


def test_every_printed_request_gets_the_status_it_should() -> None:
    """Through a real Envoy: 200, 403, 302, and 429 with Retry-After; the command exits 0."""
    done = subprocess.run([*DEMO, "--exit-after-check"], capture_output=True, text=True, timeout=WITHIN, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = re.findall(r"^(ok|FAIL) +(\w+) +(\S+) +([\d ]+)", done.stdout, re.MULTILINE)
    assert [(verdict, method, path, statuses.strip()) for verdict, method, path, statuses in lines] == [
        ("ok", "GET", "/products", "200"),
        ("ok", "DELETE", "/orders/7", "403"),
        ("ok", "GET", "/admin", "403"),
        ("ok", "GET", "/orders", "302"),
        ("ok", "POST", "/orders", "200 200 200 429"),
    ]


class Demo:
    """The demo running over a folder of policies that a test may edit."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lines: list[str] = []
        self._grown = threading.Condition()
        self._process = subprocess.Popen(
            [*DEMO, "--policies", str(folder)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        base = re.search(r"http://127\.0\.0\.1:(\d+)", self.wait_for("Envoy answers on"))
        assert base is not None
        self.port = int(base[1])
        self.wait_for("Ctrl-C ends the demo")

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                with self._grown:
                    self._lines.append(line)
                    self._grown.notify_all()

    def wait_for(self, text: str) -> str:
        """Return everything printed as soon as `text` is in it."""
        deadline = time.monotonic() + WITHIN
        with self._grown:
            while text not in "".join(self._lines):
                assert self._process.poll() is None, "".join(self._lines)
                assert self._grown.wait(deadline - time.monotonic()), "".join(self._lines)
            return "".join(self._lines)

    def get(self, path: str) -> int:
        """Return the status of a GET through Envoy."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        finally:
            connection.close()

    def stop(self) -> int:
        """End it as Ctrl-C does."""
        self._process.send_signal(signal.SIGINT)
        status = self._process.wait(WITHIN)
        self._reader.join(WITHIN)
        return status


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    """Return the demo over a copy of the shop's policies."""
    running = Demo(Path(shutil.copytree(SHOP, tmp_path / "shop")))
    yield running
    if running._process.poll() is None:
        running.stop()


def test_an_edit_takes_effect_and_a_broken_one_does_not(demo: Demo) -> None:
    """A saved edit meets the next request; a broken one is shown with a caret, and the last good one goes on."""
    catalog = demo.folder / "catalog.yaml"
    assert demo.get("/products") == 200
    catalog.write_text(catalog.read_text().replace('["GET", "HEAD"]', '["HEAD"]'))
    demo.wait_for("generation 2")
    assert demo.get("/products") == 403
    catalog.write_text(catalog.read_text().replace("request.method", "request.methd"))
    demo.wait_for("generation 2 stays in force")
    shown = demo.wait_for("^^^")
    line = 1 + next(i for i, text in enumerate(catalog.read_text().splitlines()) if "request.methd" in text)
    assert f"catalog.yaml:{line}:14: " in shown
    assert "did you mean" in shown
    assert demo.get("/products") == 403
    assert demo.stop() == 0
