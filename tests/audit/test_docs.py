"""The page about records says what they hold, and its commands find what they promise."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from authz.audit.schema import schema

PAGE = (Path(__file__).parents[2] / "authz" / "audit" / "docs" / "records.md").read_text()
COMMANDS = re.findall(r"^(jq .*) decisions\.jsonl", PAGE, re.MULTILINE)
RECORD = {
    "id": "a", "time": "2026-11-22T19:00:00Z", "decision": "deny", "reason": "no_rule", "policy": "orders",
    "rule": None, "detail": "", "identity": {"subject": "alice"}, "request": {"path": "/orders"},
}  # fmt: skip


def test_every_field_of_a_record_is_explained() -> None:
    """Neither a field without a line nor a line without a field."""
    defined = schema()["$defs"]
    rows = [re.findall(r"`(\w+)`", line.split("|")[1]) for line in PAGE.splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in row} == set(defined["Record"]["properties"])
    for part in ("RequestLine", "Document", "IdentityLine", "LimitLine"):
        assert all(f"`{name}`" in PAGE for name in defined[part]["properties"]), part


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed (Debian: apt-get install jq)")
def test_its_commands_find_denials() -> None:
    """An event between records, another caller and an earlier time are passed over."""
    lines = [RECORD, {**RECORD, "identity": {"subject": "bob"}}, {**RECORD, "time": "2026-11-22T17:00:00Z"}]
    log = "\n".join(map(json.dumps, [*lines, {"format": "authz.event/v1", "time": "2026-11-22T19:00:00Z"}]))
    one, most = (
        subprocess.run(["bash", "-c", command], input=log, capture_output=True, text=True, check=True).stdout  # noqa: S607
        for command in COMMANDS
    )
    assert json.loads(one) == {
        "id": "a", "time": "2026-11-22T19:00:00Z", "reason": "no_rule", "policy": "orders", "rule": None, "detail": "",
        "path": "/orders",
    }  # fmt: skip
    assert most.splitlines() == ["no_rule orders -"] * 3
