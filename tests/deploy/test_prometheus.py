"""A real Prometheus scrapes a real service: every query of the board and every metric of an alert has data."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.deploy.monitoring import board_queries, metrics
from tests.deploy.service import PATIENCE, Service, end, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="prometheus is not installed (Debian: apt-get install prometheus)"
)


class Prometheus:
    """A Prometheus that scrapes one target every half second."""

    def __init__(self, folder: Path, target: int) -> None:
        self._port = free_port()
        scrape = {"job_name": "shop", "static_configs": [{"targets": [f"127.0.0.1:{target}"]}]}
        configuration = folder / "prometheus.yml"
        configuration.write_text(yaml.safe_dump({"global": {"scrape_interval": "500ms"}, "scrape_configs": [scrape]}))
        command = ["prometheus", f"--config.file={configuration}", f"--storage.tsdb.path={folder / 'tsdb'}"]
        command += [f"--web.listen-address=127.0.0.1:{self._port}", "--log.level=error"]
        self.process = subprocess.Popen(command)

    def series(self, query: str) -> list[dict[str, Any]]:
        """Return what an instant query finds; nothing while Prometheus does not answer yet."""
        url = f"http://127.0.0.1:{self._port}/api/v1/query?" + urllib.parse.urlencode({"query": query})
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        except OSError:
            return []
        return [one for one in found if one["value"][1] != "NaN"]

    def without_data(self, queries: dict[str, str]) -> set[str]:
        """Return the names of the queries that find nothing within the time there is."""
        left, deadline = dict(queries), time.monotonic() + PATIENCE
        while left and time.monotonic() < deadline:
            left = {name: query for name, query in left.items() if not self.series(query)}
            time.sleep(0.1)
        return set(left)


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory, service: Service) -> Iterator[Prometheus]:
    """Start Prometheus over the service."""
    prometheus = Prometheus(tmp_path_factory.mktemp("prometheus"), service.admin)
    yield prometheus
    end(prometheus.process)


def test_every_query_of_the_board_finds_data(prometheus: Prometheus) -> None:
    """No panel is empty where there is something to show."""
    assert prometheus.without_data(board_queries()) == set()


def test_every_metric_of_an_alert_is_there(prometheus: Prometheus, rules: list[dict[str, Any]]) -> None:
    """No alert is silent because it looks for what is never shown."""
    assert prometheus.without_data({name: name for rule in rules for name in metrics(rule["expr"])}) == set()


def test_no_alert_fires_over_a_service_that_is_well(prometheus: Prometheus, rules: list[dict[str, Any]]) -> None:
    """What is denied on purpose worries nobody. How long things take is the machine's, and is not looked at here."""
    assert prometheus.without_data({"scraped": "authz_policy_generation > 0"}) == set()
    timeless = [rule for rule in rules if not any(name.endswith("_seconds_bucket") for name in metrics(rule["expr"]))]
    assert len(timeless) > len(rules) / 2
    assert {rule["alert"]: found for rule in timeless if (found := prometheus.series(rule["expr"]))} == {}
