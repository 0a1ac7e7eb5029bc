"""One real process from its first signal to its last (rows L3, L4, L8, G6, G7, G8, G14)."""

import http.client
import itertools
import json
import os
import signal
import socket
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

OK, DENIED = 0, 7
SERVING, NOT_SERVING = 1, 2
BROKEN = "kind: Policy\n"


def _get(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, body


def test_it_serves_what_its_policies_say(serve: Callable[..., Any]) -> None:
    """Health, decisions, records, the admin port and the log, all from one start."""
    service = serve()
    serving = service.wait("serving")
    assert (service.health(), service.health("envoy.service.auth.v3.Authorization")) == (SERVING, SERVING)
    assert service.check("GET").status.code == OK
    assert service.check("POST").denied_response.status.code == 403
    assert service.records.get(timeout=10)["event"] == "policies_loaded"
    assert [service.records.get(timeout=10)["decision"] for _ in range(2)] == ["allow", "deny"]
    port = serving["admin_port"]
    assert [_get(port, path)[0] for path in ("/livez", "/readyz")] == [200, 200]
    status = json.loads(_get(port, "/status")[1])
    assert (status["generation"], status["policy_faults"], status["limiter"]["store"]) == (1, [], "memory")
    metrics = _get(port, "/metrics")[1].decode()
    assert 'authz_checks_total{decision="allow",reason="allowed"} 1.0' in metrics
    assert 'authz_policy_reloads_total{result="loaded"} 1.0' in metrics
    assert "authz_policy_generation 1.0" in metrics
    assert stat.S_IMODE(service.socket.stat().st_mode) == 0o660


@pytest.mark.parametrize("transport", ["fast", "aio"])
def test_it_goes_without_failing_anybody(transport: str, serve: Callable[..., Any]) -> None:
    """After SIGTERM health says NOT_SERVING, checks are answered through the drain time, and it exits 0 (row G6)."""
    service = serve("--drain", "2s", "--transport", transport)
    service.wait("serving")
    service.check()
    answers, stop = [], threading.Event()

    def asking() -> None:
        while not stop.is_set():
            answers.append(service.check().status.code)

    asker = threading.Thread(target=asking)
    asker.start()
    service.process.terminate()
    deadline = time.monotonic() + 10
    while service.health() != NOT_SERVING:
        assert time.monotonic() < deadline
    before = len(answers)
    while len(answers) < before + 20:
        assert asker.is_alive()
    stop.set()
    asker.join()
    assert set(answers) == {OK}
    assert service.end() == 0
    assert [line["message"] for line in service.log[-2:]] == [
        "stopping: checks are answered for the drain time",
        "stopped",
    ]
    assert not service.socket.exists()


def test_a_second_signal_ends_it_at_once(serve: Callable[..., Any]) -> None:
    """Who is in a hurry signals twice; it is still an orderly end."""
    service = serve("--drain", "1h")
    service.wait("serving")
    service.process.terminate()
    while service.health() != NOT_SERVING:
        pass
    service.process.send_signal(signal.SIGINT)
    assert service.end() == 0
    assert service.log[-1]["message"] == "stopped"


@pytest.mark.parametrize("content", [BROKEN, "", None], ids=["broken", "empty", "missing"])
def test_with_bad_policies_it_lives_and_denies(content: str | None, serve: Callable[..., Any], policies: Path) -> None:
    """Alive, not ready, every check denied; mending the files is all it takes (rows L4, G7, G8)."""
    file = policies / "all.yaml"
    good = file.read_text()
    file.unlink()
    if content is not None:
        file.write_text(content)
    service = serve("--reload-interval", "50ms")
    refused = service.wait("policies can't be served, everything is denied")
    assert refused["faults"]
    port = service.wait("serving")["admin_port"]
    assert service.health() == NOT_SERVING
    assert (_get(port, "/livez")[0], _get(port, "/readyz")[0]) == (200, 503)
    response = service.check()
    assert (response.status.code, response.denied_response.status.code) == (DENIED, 403)
    file.write_text(good)
    service.wait("policies are in force")
    assert service.health() == SERVING
    assert service.check().status.code == OK


def test_a_bad_change_is_told_and_changes_nothing(serve: Callable[..., Any], policies: Path) -> None:
    """The last good policies decide, readiness stays, and log, metrics and status say what is wrong (row L3)."""
    service = serve("--reload-interval", "50ms")
    port = service.wait("serving")["admin_port"]
    (policies / "all.yaml").write_text("kind: Polic\n")
    refused = service.wait("policies can't be served, the last good ones stay in force")
    assert refused["generation"] == 1
    assert "all.yaml" in refused["faults"][0]
    assert (service.check().status.code, service.health(), _get(port, "/readyz")[0]) == (OK, SERVING, 200)
    assert json.loads(_get(port, "/status")[1])["policy_faults"] == refused["faults"]
    metrics = _get(port, "/metrics")[1].decode()
    assert "authz_policy_reload_failing 1.0" in metrics
    assert 'authz_policy_reloads_total{result="refused"} 1.0' in metrics


def test_a_reload_can_be_asked_for(serve: Callable[..., Any], policies: Path) -> None:
    """SIGHUP has it look now, and it says what came of it."""
    service = serve("--reload-interval", "1h", "--reload-settle", "10ms")
    service.wait("serving")
    service.process.send_signal(signal.SIGHUP)
    service.wait("policies are what they were")
    (policies / "all.yaml").write_text((policies / "all.yaml").read_text().replace('"GET"', '"PUT"'))
    service.process.send_signal(signal.SIGHUP)
    service.wait("policies are in force", 2)
    assert service.check().status.code == DENIED


def test_every_answer_under_swaps_is_of_one_generation(serve: Callable[..., Any], policies: Path) -> None:
    """Two documents write their version into every answer; through sixty swaps they never differ (row L8)."""
    text = (policies / "all.yaml").read_text()
    (policies / "all.yaml").unlink()
    versions = itertools.count()

    def swap() -> None:
        number = next(versions)
        stamp = policies / f"..{number}"
        stamp.mkdir()
        for name in ("a", "b"):
            bad = number % 3 == 2 and name == "b"
            content = text.replace("name: all", f"name: {name}").replace("x-all", f"x-{name}")
            (stamp / f"{name}.yaml").write_text(BROKEN if bad else content.replace('"1"', f'"{number}"'))
        (policies / "..data_tmp").symlink_to(stamp.name)
        (policies / "..data_tmp").rename(policies / "..data")

    swap()
    service = serve("--record-sink", "off")
    service.wait("serving")
    done, seen = threading.Event(), []

    def asking() -> None:
        with service.channel() as channel:
            while not done.is_set():
                response = service.ask(channel)
                assert response.status.code == OK
                headers = {one.header.key: one.header.value for one in response.ok_response.response_headers_to_add}
                seen.append((headers["x-a"], headers["x-b"]))

    asker = threading.Thread(target=asking)
    asker.start()
    for number in range(60):
        swap()
        refused, loaded = number // 3 + (number % 3 >= 1), number - number // 3 + 2 - (number % 3 >= 1)
        if number % 3 == 1:
            service.wait("policies can't be served", refused)
        else:
            service.wait("policies are in force", loaded)
    done.set()
    asker.join()
    assert {a == b for a, b in seen} == {True}
    assert len({a for a, _ in seen}) > 20


def test_a_place_that_is_taken_is_told(serve: Callable[..., Any]) -> None:
    """It ends with exit code 1 and one line, and leaves nothing running."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        by_grpc, by_admin = serve("--listen", address), serve("--admin", address)
        assert (by_grpc.end(), by_admin.end()) == (1, 1)
    assert by_grpc.log[-1]["message"].startswith(f"can't listen on {address}")
    assert by_admin.log[-1]["message"].startswith(f"can't listen on {address}")


def test_a_certificate_that_cannot_be_used_is_told(serve: Callable[..., Any], tmp_path: Path) -> None:
    """TLS that is wanted is never left out."""
    files = [str(tmp_path / name) for name in ("certificate.pem", "key.pem")]
    service = serve("--listen", "127.0.0.1:0", "--tls-certificate", files[0], "--tls-key", files[1])
    assert service.end() == 1
    assert service.log[-1]["message"].startswith(f"can't use {files[0]} with {files[1]}: no such file")


def test_settings_are_refused_before_anything_starts(serve: Callable[..., Any]) -> None:
    """Every fault at once, exit code 2."""
    service = serve("--drain", "5", AUTHZ_WORKRES="2", AUTHZ_LOG_LEVEL="loud")
    assert service.end() == 2
    assert [line["message"].partition(":")[0] for line in service.log] == [
        "--drain",
        "AUTHZ_LOG_LEVEL",
        "AUTHZ_WORKRES",
    ]


def test_foreign_variables_are_told(serve: Callable[..., Any]) -> None:
    """One that resembles no setting is ignored, and that is said."""
    service = serve(AUTHZ_JUMPS_OVER="1")
    assert service.wait("AUTHZ_JUMPS_OVER is no setting")["level"] == "warning"


def test_records_go_where_they_are_sent(serve: Callable[..., Any], tmp_path: Path) -> None:
    """To a file that only its owner reads, and by share; everything is written before the process ends."""
    service = serve("--record-sink", str(tmp_path / "records"), "--record-allow", "0", "--drain", "0")
    service.wait("serving")
    for method in ("GET", "POST", "GET"):
        service.check(method)
    service.process.terminate()
    assert service.end() == 0
    records = [json.loads(line) for line in (tmp_path / "records").read_text().splitlines()]
    assert [record.get("decision", record.get("event")) for record in records] == ["policies_loaded", "deny"]
    assert stat.S_IMODE((tmp_path / "records").stat().st_mode) == 0o600


def test_nobody_is_let_in_while_the_disk_is_full(serve: Callable[..., Any]) -> None:
    """`record.fail_closed`: once a record could not be written, an allow is a 503 that says why (O4)."""
    service = serve("--record-sink", "/dev/full", "--record-fail-closed", "--drain", "0")
    assert "(no space left on device)" in service.wait("records were not written")["error"]
    denied = service.check("GET").denied_response
    assert (denied.status.code, json.loads(denied.body)["reason"]) == (503, "unrecorded")
    assert {header.header.key: header.header.value for header in denied.headers}["retry-after"] == "1"
    assert service.check("POST").denied_response.status.code == 403


def _two_ports() -> int:
    """Find a port that is free, as the next one is."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as first:
            port: int = first.getsockname()[1]
            try:
                socket.create_server(("127.0.0.1", port + 1)).close()
            except (OSError, OverflowError):
                continue
            return port


def test_the_first_admin_port_answers_for_all_workers(serve: Callable[..., Any], tmp_path: Path) -> None:
    """Prometheus asks one port of a pod: the checks of every worker are on it, each with its worker."""
    port = _two_ports()
    service = serve("--workers", "2", "--drain", "0", "--admin", f"127.0.0.1:{port}")
    service.wait("serving", 2)
    for method, worker in (("GET", 0), ("POST", 1), ("POST", 1)):
        service.check(method, socket=tmp_path / f"authz-{worker}.sock")
    lines = _get(port, "/metrics")[1].decode().split("\n")
    assert [line for line in lines if line.startswith("authz_checks_total{")] == [
        'authz_checks_total{worker="0",decision="allow",reason="allowed"} 1.0',
        'authz_checks_total{worker="1",decision="deny",reason="no_rule"} 2.0',
    ]
    assert len(lines) == len(set(lines))
    workers = json.loads(_get(port, "/status")[1])["workers"]
    assert [(one["worker"], one["admin_port"], one["ready"]) for one in workers] == [
        (0, port, True),
        (1, port + 1, True),
    ]


def test_several_workers_share_the_work(serve: Callable[..., Any], tmp_path: Path) -> None:
    """Each has a socket of its own, one that dies is replaced, a reload reaches all, and all end together."""
    service = serve("--workers", "2", "--drain", "0", "--admin", "off")
    service.wait("serving", 2)
    sockets = [tmp_path / f"authz-{number}.sock" for number in (0, 1)]
    assert [service.check(socket=one).status.code for one in sockets] == [OK, OK]
    worker = service.wait("worker started", 2)
    command, own = (Path(f"/proc/{pid}/cmdline").read_text() for pid in (service.process.pid, worker["pid"]))
    assert own == f"{command}--worker\0{worker['number']}\0"
    os.kill(worker["pid"], signal.SIGKILL)
    assert service.wait("worker ended")["status"] == -signal.SIGKILL
    service.wait("serving", 3)
    assert service.check(socket=sockets[1]).status.code == OK
    service.process.send_signal(signal.SIGHUP)
    service.wait("policies are what they were", 2)
    service.process.terminate()
    assert service.end() == 0
    assert not any(one.exists() for one in sockets)
