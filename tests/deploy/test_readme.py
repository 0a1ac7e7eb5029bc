"""What deploy/README.md promises: its files are there, and its requests are decided as it says."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

from authz.cli.app import authz

DEPLOY = Path(__file__).parents[2] / "deploy"
TEXT = (DEPLOY / "README.md").read_text()
REQUESTS = re.findall(r"^(curl .*localhost:10000\S*)\s+# (\d{3})", TEXT, re.MULTILINE)


def status(curl: str, policies: Path, capsys: pytest.CaptureFixture[str]) -> int:
    """Return the status that these policies give to what a curl line asks; 200 is an allow."""
    words = shlex.split(curl)
    method = words[words.index("-X") + 1] if "-X" in words else "GET"
    headers = [word for at, word in enumerate(words) if "-H" in (word, words[at - 1])]
    url = next(word for word in words if word.startswith("localhost"))
    arguments = ["eval", method, f"http://{url}", *headers, "--policies", str(policies), "--output", "json"]
    with pytest.raises(SystemExit):
        authz(arguments, prog_name="authz")
    decided = json.loads(capsys.readouterr().out)
    return 200 if decided["decision"] == "allow" else int(decided["status"])


@pytest.mark.parametrize(("curl", "expected"), REQUESTS)
def test_requests_are_decided_as_shown(
    curl: str, expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The policies that are installed give each request the status behind it; a 503 is after the edit."""
    policies = Path(shutil.copytree(DEPLOY / "base" / "policies", tmp_path / "policies"))
    shop = policies / "shop.yaml"
    if expected == "503":
        assert "active: false" in shop.read_text()
        shop.write_text(shop.read_text().replace("active: false", "active: true"))
    assert status(curl, policies, capsys) == int(expected)


def test_requests_are_found() -> None:
    """The lines above are read from the README at all."""
    assert [expected for _, expected in REQUESTS] == ["200", "403", "200", "503"]


def test_files_it_names_exist() -> None:
    """No path leads nowhere."""
    named = set(re.findall(r"(?:deploy|\.\./envoy|base|overlays|monitoring)/[\w./-]*\w", TEXT))
    assert len(named) > 8
    for path in named:
        folder = DEPLOY.parent if path.startswith("deploy/") else DEPLOY
        assert (folder / path).exists(), path
