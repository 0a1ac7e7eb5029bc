"""What the README and its neighbours say is there, is there, and does what they show."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from authz.cli.demo import log
from authz.content import SchemaValidators
from authz.errors import PolicyFaults
from authz.model import Reason
from authz.policy import Compiler

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(ROOT.glob("deploy/**/*.md")),
    *sorted(ROOT.glob("authz/**/*.md")),
]


def test_the_readme_is_short() -> None:
    """A newcomer reads it in one go."""
    assert len(README.splitlines()) < 150


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    """A relative link names a file or folder of this repository."""
    for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
        if not re.match(r"[a-z]+:", target):
            assert (page.parent / target).exists(), target


def test_the_policy_shown_compiles() -> None:
    """The YAML of the README is a policy without a fault."""
    shown = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    assert shown
    for text in shown:
        Compiler(validators=SchemaValidators()).compile({"README.yaml": text.encode()})


def test_the_fault_shown_is_what_is_told() -> None:
    """What the README shows of a broken policy is what the demo says when that word of the shop's is misspelled."""
    (shown,) = re.findall(r"```\n(policies refused, .*?)\n```", README, re.DOTALL)
    file = shown.splitlines()[1].partition(":")[0]
    broken = (ROOT / file).read_text().replace("request.method", "request.methd")
    with pytest.raises(PolicyFaults) as faults:
        Compiler(validators=SchemaValidators()).compile({file: broken.encode()})
    assert shown == log.shown(json.dumps({"generation": 2, "faults": list(map(str, faults.value.faults))}))


def test_the_make_targets_named_exist() -> None:
    """Every `make target` in the pages is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    shown = re.compile(r"(?:`|^\s*)make ([a-z][a-z-]+)", re.MULTILINE)
    named = {target for page in PAGES for target in shown.findall(page.read_text())}
    assert named <= targets


def test_the_reasons_named_exist() -> None:
    """The failure table uses the words of the closed enum, or names of metrics and outcomes."""
    table = README[README.index("| Fault |") : README.index("## How fast")]
    words = {
        word for word in re.findall(r"`([a-z]+(?:_[a-z]+)*)`", table) if "_" in word and not word.startswith("authz_")
    }
    assert words - {"degraded_deny"} <= {reason.value for reason in Reason} | {"degraded_"}


def test_the_changelog_has_what_is_not_released() -> None:
    """Keep a Changelog: what users will see next stands under Unreleased."""
    assert "## Unreleased" in (ROOT / "CHANGELOG.md").read_text()
