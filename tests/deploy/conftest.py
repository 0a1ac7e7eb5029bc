"""What the tests of alerts and boards share: their texts, what a service shows, and a promtool."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.deploy.monitoring import metrics
from tests.deploy.service import Service

if TYPE_CHECKING:
    from collections.abc import Iterator

MONITORING = Path(__file__).parents[2] / "deploy" / "monitoring"


@pytest.fixture(scope="session")
def rules() -> list[dict[str, Any]]:
    """Return the alert rules."""
    groups = yaml.safe_load((MONITORING / "alerts.yaml").read_text())["spec"]["groups"]
    return [rule for group in groups for rule in group["rules"]]


@pytest.fixture
def rule_file(tmp_path: Path) -> Path:
    """Write the alerts as Prometheus itself reads them: the resource's `spec`."""
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load((MONITORING / "alerts.yaml").read_text())["spec"]))
    return path


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Start the service with a Valkey of its own."""
    with Service(tmp_path_factory.mktemp("service")) as service:
        yield service


@pytest.fixture(scope="session")
def exposed(service: Service) -> set[str]:
    """Return the name of every family and sample that the service shows."""
    lines = service.page("/metrics").splitlines()
    return metrics("\n".join(line.partition(" ")[2] if line.startswith("#") else line for line in lines))


@pytest.fixture(scope="session")
def promtool() -> str:
    """Return where promtool is; skip where it is not."""
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("promtool is not installed (Debian: apt-get install prometheus)")
    return found
