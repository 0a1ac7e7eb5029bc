"""How a request, typed or on record, comes to its answer."""

from __future__ import annotations

import json
import time
from queue import Queue
from typing import TYPE_CHECKING, Any

import pytest

from authz.cli.output import Exit
from authz.limits.redis import RedisLimiter, RedisOptions
from authz.model import Charge, Limit, Usage
from tests.cli.replay.conftest import BEFORE, KEYS, line

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CANARY = "canary-5ecret"


@pytest.fixture
def explain(run: Callable[..., Any], policies: Path) -> Callable[..., Any]:
    """Run `authz explain` on the policies of these tests."""
    return lambda *arguments: run("explain", *arguments, "--policies", str(policies))


def test_a_denial_is_explained_to_its_last_part(explain: Callable[..., Any]) -> None:
    """Who settled it, what each rule said, the values it said it of, and what would have let it through."""
    ran = explain("DELETE", "https://api.example.com/orders/7", "-H", "x-tenant: acme")
    assert ran.status == 0
    lines = ran.out.splitlines()
    assert lines[0] == "deny 403: deny_rule by orders/nobody-deletes"
    assert "  ✓ deny nobody-deletes: holds  ← settled it" in lines
    assert '      request.method == "DELETE" = true' in lines
    assert '        request.method = "DELETE"' in lines
    ways = lines.index("to be allowed it would have needed:")
    assert lines[ways : ways + 3] == [
        "to be allowed it would have needed:",
        "  orders/nobody-deletes:",
        '    !(request.method == "DELETE")   (request.method is "DELETE")',
    ]


def test_limits_and_identity_are_part_of_it(explain: Callable[..., Any]) -> None:
    """What a limit counts under and has left, whose counts begin here; who was taken for calling."""
    ran = explain("GET", "/orders/7", "-H", "x-tenant: acme", "--ip", "198.51.100.7")
    assert "  · limit orders/all for 198.51.100.7, cost 1: ok, 2 left if nobody asked before" in ran.out
    assert "  identity  nobody" in ran.out


def test_the_counts_of_a_redis_are_looked_at(explain: Callable[..., Any], valkey: str) -> None:
    """What the caller has left there now, and who is over; asking changes nothing, however often."""
    typed = ("GET", "/orders/7", "-H", "x-tenant: acme", "--ip", "198.51.100.8", "--redis", valkey)
    for _ in range(5):
        assert "cost 1: ok, 3 left now; nothing was charged\n" in explain(*typed).out
    limit = Limit(name="orders/all", requests=3, period=60.0)
    limiter = RedisLimiter(valkey, RedisOptions(budget=5.0))
    limiter.start()
    heard: Queue[Usage] = Queue()
    limiter.charge([Charge(limit=limit, key=("198.51.100.8",), cost=3)], time.monotonic() + 5, heard.put)
    assert heard.get(timeout=5).admitted
    limiter.close()
    ran = explain(*typed)
    assert ran.out.startswith("deny 429: rate_limited")
    assert "cost 1: over, 0 left now; nothing was charged\n" in ran.out
    assert "  orders:\n    limit orders/all   (0 left, whole again in " in ran.out


def test_a_redis_that_is_gone_is_told(explain: Callable[..., Any], tmp_path: Path) -> None:
    """No explanation is better than one by counts from somewhere else."""
    ran = explain("GET", "/orders/7", "-H", "x-tenant: acme", "--redis", f"unix://{tmp_path}/gone")
    assert (ran.status, ran.out) == (Exit.UNEXPECTED, "")
    assert ran.err.startswith("can't ask Redis: ")


def test_no_credential_is_shown(explain: Callable[..., Any]) -> None:
    """O2: what was typed as a credential is a fingerprint, to people and programs."""
    typed = ("GET", "/orders/7", "-H", f"authorization: Bearer {CANARY}", "-H", f"x-api-key: {CANARY}")
    for output in ("pretty", "json"):
        assert CANARY not in explain(*typed, "--output", output).out


def test_programs_get_everything(explain: Callable[..., Any]) -> None:
    """The whole tree as JSON."""
    found = json.loads(explain("GET", "/orders/7", "--output", "json").out)
    assert found["decision"]["reason"] == "no_rule"
    (orders,) = found["documents"]
    assert [rule["said"] for rule in orders["rules"]] == ["does not hold"] * 3
    assert found["ways"][0]["missing"][0]["text"] == '"x-tenant" in request.headers'


def test_a_recorded_decision_is_explained_from_its_record(run: Callable[..., Any], tmp_path: Path) -> None:
    """By its id, with what the record remembers; what it does not is undetermined, and other policies are told."""
    folder, log = tmp_path / "now", tmp_path / "decisions.jsonl"
    folder.mkdir()
    (folder / "a.yaml").write_text(BEFORE)
    (folder / "keys.yaml").write_text(KEYS)
    log.write_bytes(line(1, {}) + line(2, {"headers": {"x-tenant": "evil"}}))
    ran = run("explain", "d-2", "--log", str(log), "--policies", str(folder))
    assert ran.status == 0
    assert ran.out.startswith("deny 403: deny_rule by orders/evil\n")
    assert '      request.headers[?"x-tenant"].orValue("") == "evil" = true' in ran.out
    assert "these are not the policies that decided" in ran.err
    ran = run("explain", "d-9", "--log", str(log), "--policies", str(folder))
    assert ran.status == Exit.UNEXPECTED
    assert ran.err == f"{log} has no decision d-9\n"


def test_a_service_that_is_not_there_is_told(run: Callable[..., Any]) -> None:
    """Without a log the admin port is asked, and its absence says what else to do."""
    ran = run("explain", "d-1", "--admin", "127.0.0.1:9")
    assert ran.status == Exit.UNEXPECTED
    assert "name the records with --log" in ran.err


def test_a_request_that_cannot_be_read_has_no_explanation(explain: Callable[..., Any]) -> None:
    """What two servers could read differently was put before no policy."""
    ran = explain("GET", "/orders/%00")
    assert ran.status == Exit.UNEXPECTED
    assert "no policy was asked" in ran.err


def test_a_method_alone_is_no_decision(run: Callable[..., Any]) -> None:
    """Who forgets the URL is told so, and no service is asked for a decision called GET."""
    for method in ("GET", "get"):
        ran = run("explain", method)
        assert (ran.status, ran.out) == (Exit.ARGUMENTS, "")
        assert f"url: {method} of what?" in ran.err
