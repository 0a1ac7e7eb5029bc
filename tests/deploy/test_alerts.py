"""The alerts: they fire when they should, and lead to a page that says what to do."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.monitoring import metrics

DEPLOY = Path(__file__).parents[2] / "deploy"
CASES = DEPLOY / "monitoring" / "alerts_test.yaml"


def test_rules_are_valid(promtool: str, rule_file: Path) -> None:
    """`promtool check rules` finds no fault."""
    told = subprocess.run([promtool, "check", "rules", rule_file], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr


def test_rules_fire_when_they_should(promtool: str, rule_file: Path) -> None:
    """`promtool test rules` agrees with every case."""
    cases = Path(shutil.copy(CASES, rule_file.parent))
    told = subprocess.run([promtool, "test", "rules", cases], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr


def test_every_alert_has_a_case_in_which_it_fires_and_one_in_which_not(rules: list[dict[str, Any]]) -> None:
    """No alert goes untried, in either direction."""
    tried = [one for case in yaml.safe_load(CASES.read_text())["tests"] for one in case["alert_rule_test"]]
    names = {rule["alert"] for rule in rules}
    assert {one["alertname"] for one in tried if one.get("exp_alerts")} == names
    assert {one["alertname"] for one in tried if not one.get("exp_alerts")} == names


def test_every_alert_asks_for_metrics_we_have(rules: list[dict[str, Any]], exposed: set[str]) -> None:
    """A metric that is renamed takes no alert with it unnoticed."""
    for rule in rules:
        asked = metrics(rule["expr"])
        assert asked, rule
        assert asked <= exposed, f"{rule['alert']} asks for {asked - exposed}"


def test_every_alert_says_what_to_do(rules: list[dict[str, Any]]) -> None:
    """Its link leads to a heading of the README, and no heading is about an alert that is gone."""
    headings = re.findall(r"^### (Authz\w+)$", (DEPLOY / "README.md").read_text(), re.MULTILINE)
    assert headings == [rule["alert"] for rule in rules]
    for rule in rules:
        assert rule["annotations"]["runbook"] == f"deploy/README.md#{rule['alert'].lower()}"
        assert rule["labels"]["severity"] in {"critical", "warning"}
