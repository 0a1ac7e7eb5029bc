"""A probe asks one question and costs little."""

import subprocess
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from authz.cli.probe import probe

SERVING, NOT_SERVING = 1, 2


@pytest.mark.parametrize(
    ("status", "code", "told"), [(SERVING, 0, ""), (NOT_SERVING, 1, "not serving\n"), (0, 1, "not serving\n")]
)
def test_the_exit_code_is_the_answer(
    status: int, code: int, told: str, healthy: Callable[[str, int], str], capsys: pytest.CaptureFixture[str]
) -> None:
    """0 for SERVING and nothing else; why not is on standard error."""
    address = healthy("authz.sock", status)
    assert probe(address) == code
    assert capsys.readouterr().err == (f"{address}: {told}" if told else "")


def test_nobody_there_is_ill(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And it does not take longer than it may."""
    assert probe(f"unix://{tmp_path}/authz.sock", 0.5) == 1
    assert capsys.readouterr().err.startswith(f"unix://{tmp_path}/authz.sock: unavailable: ")


@pytest.mark.parametrize(
    "address",
    ["http://a:b/", "http://[a/readyz", f"unix:///{'n' * 300}", f"unix:///{'d/' * 3000}"],
)
def test_what_is_no_address_is_ill(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A probe that is written wrong fails in one line."""
    assert probe(address, 0.5) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_all_workers_must_be_well(
    tmp_path: Path, healthy: Callable[[str, int], str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the socket that was asked for is shared out, each worker's is asked."""
    healthy("authz-0.sock", SERVING)
    ill = healthy("authz-1.sock", NOT_SERVING)
    assert probe(f"unix://{tmp_path}/authz.sock") == 1
    assert capsys.readouterr().err == f"{ill}: not serving\n"


def test_without_an_address_the_environment_says_which(
    healthy: Callable[[str, int], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first of AUTHZ_LISTEN: the container's own setting."""
    monkeypatch.setenv("AUTHZ_LISTEN", healthy("authz.sock", SERVING) + ", 127.0.0.1:1")
    assert probe() == 0


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_the_admin_port_can_be_asked(status: int, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    """By HTTP, where gRPC wants a certificate."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/readyz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        assert probe(f"http://127.0.0.1:{server.server_port}") == code
    assert probe("http://127.0.0.1:1/readyz") == 1
    assert "Connection refused" in capsys.readouterr().err


def test_a_probe_loads_next_to_nothing(healthy: Callable[[str, int], str]) -> None:
    """Neither typer nor the settings are in a process that only asks (it is started every few seconds)."""
    program = (
        "import sys\nsys.argv = ['authz', 'healthcheck', *sys.argv[1:]]\nfrom authz.cli import main\n"
        "try:\n main()\nexcept SystemExit as end:\n"
        " print(end.code, [name for name in ('typer', 'pydantic', 'google.protobuf') if name in sys.modules])"
    )
    command = [sys.executable, "-c", program, healthy("authz.sock", SERVING)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "0 []\n"
