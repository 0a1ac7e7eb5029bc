"""The HTTP/1.1 load generator against a real server, and against answers that it does not read."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import http_load
import pytest
from http2 import ConnectionLostError

if TYPE_CHECKING:
    from collections.abc import Iterator


class Answers(BaseHTTPRequestHandler):
    """Answers a path that is a status with that status."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answer with the status in the path and, where HTTP allows one, a body."""
        status = int(self.path[1:])
        body = b"" if status == 204 else b"x" * 10_000
        self.send_response(status)
        if status == 299:
            self.send_header("Transfer-Encoding", "chunked")
        elif body:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(b"0\r\n\r\n" if status == 299 else body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """Says nothing of clients that hang up."""

    def handle_error(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def target() -> Iterator[str]:
    """Yield the address of a server."""
    with Server(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_statuses_are_counted(target: str) -> None:
    """Every request gets its own answer, with and without a body, and the connections are kept."""
    requests = [http_load.encode("GET", path, {"host": "load"}) for path in ("/200", "/403", "/204", "/403")]

    measured = http_load.run(target, requests, seconds=0.2, connections=4)

    assert set(measured.statuses) == {200, 204, 403}
    assert measured.calls == sum(measured.statuses.values()) > 8
    assert abs(measured.statuses[403] - 2 * measured.statuses[200]) <= 2
    assert 0 < measured.p50 <= measured.p99 <= measured.maximum


def test_chunked_answer_is_refused(target: str) -> None:
    """An answer whose end is not told by its length ends the run."""
    with pytest.raises(ConnectionLostError, match="chunked"):
        http_load.run(target, [http_load.encode("GET", "/299", {"host": "load"})], seconds=0.1, connections=1)


def test_request_with_a_body_says_its_length() -> None:
    """A body is announced; a request without one has no Content-Length."""
    assert http_load.encode("POST", "/a", {"host": "h"}, b"xy") == (
        b"POST /a HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n\r\nxy"
    )
    assert b"content-length" not in http_load.encode("GET", "/a", {"host": "h"})


def test_script_prints_json(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The script prints the measurement as JSON, and 1 means that nobody answered."""
    assert http_load.main([target, "--path", "/200", "--seconds", "0.1", "--connections", "2"]) == 0
    assert json.loads(capsys.readouterr().out)["statuses"].keys() == {"200"}
    assert http_load.main(["127.0.0.1:1", "--seconds", "0.1"]) == 1
