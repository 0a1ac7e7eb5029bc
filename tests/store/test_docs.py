"""The page about bringing policies into force: its policy is tried, in shadow and without."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from authz.config import load
from authz.server.building import build
from authz.server.comparing import Comparison
from authz.server.process import Process
from authz.testing.asking import Asked, Call, message

PAGE = (Path(__file__).parents[2] / "authz/store/docs/rollout.md").read_text()
(POLICY,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[list[Process]]:
    """Start the page's policy as it stands, and promoted."""
    started = []
    for name, policy in {"shadow": POLICY, "live": re.sub(r"( +mode: shadow\n| mode: shadow,)", "", POLICY)}.items():
        folder = tmp_path / name
        folder.mkdir()
        (folder / "orders.yaml").write_text(policy)
        flags = {
            "policies": (str(folder),), "listen": (f"unix://{folder}/s",), "transport": "aio", "admin": "127.0.0.1:0",
            "record.sink": "off",
        }  # fmt: skip
        process = build(load(environment={}, flags=flags).settings)
        process.start()
        started.append(process)
    yield started
    for process in started:
        process.stop(1.0)


def _ask(process: Process, agent: str) -> bytes:
    asked = Asked(method="GET", url="https://h/v1/orders/7", headers=(("user-agent", agent),), time=1.0)
    call = Call()
    process._engine.check(message(asked), call)
    return call.response


def test_what_is_in_shadow_is_counted_and_changes_nothing(processes: list[Process]) -> None:
    """Under the names the page gives, on the metrics page and in the console (row L11); promoted, it denies."""
    shadow, live = processes
    for agent in ("curl/8", "firefox", "firefox"):
        assert b"deny_rule" not in _ask(shadow, agent)
    page = shadow.metrics().decode()
    said = 'authz_rules_total{document="orders",effect="would_deny",mode="shadow",rule="no-bots"} 1.0'
    limited = 'authz_limits_total{limit="orders/per-address",outcome="would_limit"} 2.0'
    assert said in page
    assert limited in page
    (document,) = shadow.policies()
    assert document["rules"][1]["said"] == {"would_deny": 1}  # type: ignore[index]
    assert document["limits"][0]["said"]["would_limit"] == 2  # type: ignore[index]
    assert b"deny_rule" in _ask(live, "curl/8")
    assert b"rate_limited" not in _ask(live, "firefox")
    assert b"rate_limited" in _ask(live, "firefox")


def test_every_outcome_of_a_comparison_is_explained() -> None:
    """In the order in which they are counted."""
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == [outcome.value for outcome in Comparison]
