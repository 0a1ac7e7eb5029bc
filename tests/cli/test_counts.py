"""What Redis has counted for one caller, seen and made whole from the command line."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from authz.cli.output import Exit
from authz.limits.options import RedisOptions
from authz.limits.redis import RedisLimiter
from authz.model import Charge, Limit, Usage

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

POLICY = """\
apiVersion: authz/v1
kind: Policy
metadata: {name: orders}
spec:
  match: [{paths: ["/**"]}]
  rules: [{name: all, allow: "true"}]
  limits:
    - {name: each, key: [client.ip, request.method], rate: 3/day, algorithm: sliding-window, mode: shadow}
"""
EACH = Limit(name="orders/each", requests=3, period=86_400.0)


@pytest.fixture
def limits(valkey: str, policies: Path, run: Callable[..., Any]) -> Callable[..., Any]:
    """Run `authz limits` on a policy and the Valkey."""
    (policies / "orders.yaml").write_text(POLICY)
    return lambda *arguments: run("limits", *arguments, "--policies", str(policies), "--redis", valkey)


def charged(url: str, *key: str, times: int, secret: bytes = b"") -> None:
    """Charge as the service does."""
    limiter = RedisLimiter(url, RedisOptions(budget=5.0), secret=secret)
    limiter.start()
    for _ in range(times):
        heard, usages = threading.Event(), list[Usage]()

        def done(usage: Usage, heard: threading.Event = heard, usages: list[Usage] = usages) -> None:
            usages.append(usage)
            heard.set()

        limiter.charge([Charge(limit=EACH, key=key)], time.monotonic() + 5, done)
        assert heard.wait(5)
        assert usages[0].admitted
    limiter.close()


def test_a_count_is_shown_and_reset(limits: Callable[..., Any], valkey: str) -> None:
    """Of that caller and no other; showing changes nothing, a second reset finds nothing."""
    charged(valkey, "10.0.0.1", "GET", times=3)
    charged(valkey, "10.0.0.2", "GET", times=1)
    for _ in range(2):
        ran = limits("show", "orders/each", "10.0.0.1", "GET")
        assert ran.status == 0
        assert ran.out.startswith("orders/each: 0 of 3 left, one more in ")
    ran = limits("reset", "orders/each", "10.0.0.1", "GET")
    assert (ran.status, ran.out) == (0, "orders/each: reset\n")
    assert "until the time they told" in ran.err
    assert limits("show", "orders/each", "10.0.0.1", "GET").out == "orders/each: 3 of 3 left\n"
    assert limits("reset", "orders/each", "10.0.0.1", "GET").out == "orders/each: was whole\n"
    assert limits("show", "orders/each", "10.0.0.2", "GET").out.startswith("orders/each: 2 of 3 left, whole in ")


def test_a_keyed_count_is_found_with_its_secret(
    limits: Callable[..., Any], valkey: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the service does, by the settings it has."""
    from hashlib import sha256  # noqa: PLC0415

    (tmp_path / "secret").write_text("s")
    charged(valkey, "10.0.0.3", "GET", times=2, secret=sha256(b"s").digest())
    assert limits("show", "orders/each", "10.0.0.3", "GET").out == "orders/each: 3 of 3 left\n"
    monkeypatch.setenv("AUTHZ_REDIS_SECRET_FILE", str(tmp_path / "secret"))
    assert limits("show", "orders/each", "10.0.0.3", "GET").out.startswith("orders/each: 1 of 3 left")
    assert limits("reset", "orders/each", "10.0.0.3", "GET").out == "orders/each: reset\n"


def test_a_limit_nobody_wrote_is_told(limits: Callable[..., Any]) -> None:
    """With those there are."""
    ran = limits("show", "orders/eech", "10.0.0.1")
    assert ran.status == Exit.ARGUMENTS
    assert 'no limit is called "orders/eech" (there are: orders/each)' in " ".join(ran.err.split())


def test_of_two_limits_of_one_name_the_kind_says_which(limits: Callable[..., Any], valkey: str, policies: Path) -> None:
    """A guardrail's is counted apart from that of a policy of its name: neither is shown, nor reset, for the other."""
    guardrail = POLICY.replace("kind: Policy", "kind: Guardrail").replace("rules: [", "rules: []  # [")
    (policies / "guardrail.yaml").write_text(guardrail.replace("rate: 3", "rate: 7"))
    charged(valkey, "10.0.0.4", "GET", times=2)
    for action in ("show", "reset"):
        ran = limits(action, "orders/each", "10.0.0.4", "GET")
        assert ran.status == Exit.ARGUMENTS
        assert 'a policy and a guardrail have a limit "orders/each" each: say --kind policy or guardrail' in " ".join(
            ran.err.replace("│", "").split()
        )
    shown = limits("show", "orders/each", "10.0.0.4", "GET", "--kind", "guardrail").out
    assert shown == "orders/each: 7 of 7 left\n"
    assert limits("show", "orders/each", "10.0.0.4", "GET", "--kind", "policy").out.startswith("orders/each: 1 of 3")
    assert limits("reset", "orders/each", "10.0.0.4", "GET", "--kind", "guardrail").out == "orders/each: was whole\n"
    assert 'no limit of a guardrail is called "orders/x"' in limits("show", "orders/x", "--kind", "guardrail").err


def test_counts_in_memory_are_out_of_reach(run: Callable[..., Any], policies: Path) -> None:
    """They are in the processes that serve."""
    ran = run("limits", "show", "orders/all", "--policies", str(policies))
    assert ran.status == Exit.ARGUMENTS
    assert "without Redis" in ran.err


@pytest.mark.parametrize("action", ["show", "reset"])
def test_a_redis_that_is_gone_is_told(policies: Path, tmp_path: Path, action: str) -> None:
    """One line and exit code 1, never numbers from somewhere else; in a process, where a log has nowhere else to go."""
    asked = ["limits", action, "orders/all", "10.0.0.1", "--policies", policies, "--redis", f"unix://{tmp_path}/gone"]
    ran = subprocess.run(
        [sys.executable, "-m", "authz", *asked], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ran.returncode, ran.stdout) == (Exit.UNEXPECTED, "")
    assert len(ran.stderr.splitlines()) == 1, ran.stderr


def test_broken_policies_are_told(run: Callable[..., Any], broken: str) -> None:
    """As by any verb that reads them."""
    assert run("limits", "show", "a/b", "--policies", broken, "--redis", "redis://h").status == Exit.POLICIES
