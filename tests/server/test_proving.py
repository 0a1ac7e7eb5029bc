"""Policies that have to pass their tests before they come into force."""

import itertools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from authz.config import load
from authz.errors import FailedTests, PolicyFaults
from authz.policy import PolicySet
from authz.server.building import build
from authz.server.deciding import compiler
from authz.server.proving import Proven

POLICY = b"""\
apiVersion: authz/v1
kind: Policy
metadata: {name: all}
spec:
  match: [{paths: ["/**"]}]
  rules: [{name: reads, allow: 'request.method == "GET"'}]
"""
OPEN = POLICY.replace(b"GET", b"POST")
TEST = b"""\
apiVersion: authz/v1
kind: PolicyTest
metadata: {name: all}
spec:
  cases:
    - name: reads are let in
      request: {method: GET, url: "https://api.example.com/a"}
      expect: {decision: allow}
"""


class Counted:
    """A compiler that counts."""

    def __init__(self) -> None:
        self._compiler = compiler("auto")
        self.compiled = 0

    def compile(self, files: Mapping[str, bytes]) -> PolicySet:
        """Compile."""
        self.compiled += 1
        return self._compiler.compile(files)


def _proven(real: Counted, **given: Any) -> Proven:
    return Proven(real, compiler("auto"), **{"timeout": 60.0, **given})


def test_policies_that_pass_are_compiled() -> None:
    """Their digest is of the policies: tests change nothing in what is served."""
    real = Counted()
    proven = _proven(real).compile({"p/a.yaml": POLICY, "p/a_test.yaml": TEST})
    assert proven.digest == compiler("auto").compile({"p/a.yaml": POLICY}).digest
    assert real.compiled == 1


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (
            {"p/a.yaml": OPEN, "p/a_test.yaml": TEST},
            'p/a_test.yaml:8:16: test "all / reads are let in" fails: decision: expected allow, got deny',
        ),
        ({"p/a.yaml": POLICY}, ": no test lies beside these policies (reload.require_tests wants some"),
        ({"p/a.yaml": POLICY, "p/a_test.yaml": b"apiVersion: authz/v1\nkind: [\n"}, "p/a_test.yaml:3:1: "),
        (
            {"p/a.yaml": POLICY, "p/a_test.yaml": TEST.replace(b"cases", b"casse")},
            "p/a_test.yaml:5:3: AZ104 nothing is tested",
        ),
        (
            {"p/a.yaml": POLICY, "p/a_test.yaml": TEST.replace(b"allow}", b"allow, rule: all/writes}")},
            'p/a_test.yaml:8:39: AZ130 no rule is called "all/writes"',
        ),
    ],
    ids=["fails", "none", "no YAML", "misspelled", "names nothing"],
)
def test_what_is_not_shown_to_be_right_does_not_come_into_force(files: Mapping[str, bytes], told: str) -> None:
    """A failing, missing or broken test is told with its place, and what would serve is not even compiled."""
    real = Counted()
    with pytest.raises(FailedTests) as failed:
        _proven(real).compile(files)
    assert str(failed.value).startswith(told)
    assert real.compiled == 0


def test_bad_policies_are_bad_policies() -> None:
    """Faults of policies are not called failures of tests."""
    with pytest.raises(PolicyFaults) as refused:
        _proven(Counted()).compile({"p/a.yaml": POLICY.replace(b"match", b"mtach"), "p/a_test.yaml": TEST})
    assert not isinstance(refused.value, FailedTests)


def test_tests_that_do_not_end_are_ended() -> None:
    """A test that asks a million times holds nothing up for longer than it may (row L9)."""
    endless = TEST.replace(b"      expect", b"      repeat: 1000\n      expect")
    with pytest.raises(FailedTests, match="take longer than 5 s") as failed:
        _proven(Counted(), timeout=5.0, clock=itertools.count().__next__).compile(
            {"a.yaml": POLICY, "a_test.yaml": endless}
        )
    assert "reload.tests_timeout" in str(failed.value)


def _process(folder: Path, scratch: Path) -> Any:
    flags = {
        "policies": (str(folder),), "listen": (f"unix://{scratch}/authz.sock",), "transport": "aio", "admin": "off",
        "record.sink": str(scratch / "records"), "reload.require_tests": "true", "reload.interval": "50ms",
        "reload.settle": "10ms",
    }  # fmt: skip
    return build(load(environment={}, flags=flags).settings)


def test_the_last_that_passed_stay_and_everybody_is_told(tmp_path: Path, until: Callable[..., None]) -> None:
    """Status, metric and record name the case; when the tests pass again, the new policies come into force."""
    folder = tmp_path / "p"
    folder.mkdir()
    (folder / "a.yaml").write_bytes(POLICY)
    (folder / "a_test.yaml").write_bytes(TEST)
    process = _process(folder, tmp_path)
    process.start()
    try:
        assert process.status()["generation"] == 1
        (folder / "a.yaml").write_bytes(OPEN)
        until(lambda: process.status()["policy_faults"])
        (fault,) = process.status()["policy_faults"]
        assert 'test "all / reads are let in" fails: decision: expected allow, got deny' in fault
        assert process.status()["generation"] == 1
        assert b'authz_policy_reloads_total{result="tests_failed"} 1.0' in process.metrics()
        (folder / "a_test.yaml").write_bytes(TEST.replace(b"decision: allow", b"decision: deny"))
        until(lambda: process.status()["generation"] == 2)
    finally:
        process.stop(1.0)
    records = (tmp_path / "records").read_text()
    assert '"event":"policies_refused","generation":1,"faults":1,"result":"tests_failed","first":["' in records
    assert "reads are let in" in records


def test_without_a_test_nothing_is_served_from_the_start(tmp_path: Path) -> None:
    """A folder without tests leaves a process that is alive, not ready, and denies (row L4)."""
    folder = tmp_path / "p"
    folder.mkdir()
    (folder / "a.yaml").write_bytes(POLICY)
    process = _process(folder, tmp_path)
    process.start()
    try:
        assert not process.ready()
        assert "no test lies beside" in process.status()["policy_faults"][0]
    finally:
        process.stop(1.0)
