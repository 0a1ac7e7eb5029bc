"""The Grafana board: every query is PromQL about metrics that exist."""

from __future__ import annotations

import subprocess
from pathlib import Path

import yaml

from tests.deploy.monitoring import annotation_queries, board, board_queries, metrics

FOLDER = Path(__file__).parents[2] / "deploy" / "monitoring"


def test_every_query_asks_for_metrics_we_have(exposed: set[str]) -> None:
    """A metric that is renamed leaves no panel empty unnoticed."""
    for name, query in board_queries().items():
        assert metrics(query) <= exposed, f"{name} asks for {metrics(query) - exposed}"
    assert {name for query in annotation_queries() for name in metrics(query)} <= exposed
    variable = next(one for one in board()["templating"]["list"] if one["name"] == "job")
    assert metrics(variable["query"]["query"]) <= exposed


def test_every_query_is_promql(promtool: str, tmp_path: Path) -> None:
    """Prometheus can read each of them."""
    queries = [*board_queries().values(), *annotation_queries()]
    recorded = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(queries)]
    path = tmp_path / "queries.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "board", "rules": recorded}]}))
    told = subprocess.run([promtool, "check", "rules", path], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr


def test_board_can_be_imported() -> None:
    """It has a fixed uid, panels with ids of their own inside the grid, and names no data source of somebody's."""
    read = board()
    assert read["uid"]
    assert read["schemaVersion"] >= 38
    ids = [panel["id"] for panel in read["panels"]]
    assert len(ids) == len(set(ids))
    assert all(0 <= panel["gridPos"]["x"] <= 24 - panel["gridPos"]["w"] for panel in read["panels"])
    sources = {target["datasource"]["uid"] for panel in read["panels"] for target in panel["targets"]}
    assert sources == {"${datasource}"}


def test_prometheus_finds_the_pods() -> None:
    """The PodMonitor looks for the label and the port that every authz pod has."""
    spec = yaml.safe_load((FOLDER / "podmonitor.yaml").read_text())["spec"]
    (endpoint,) = spec["podMetricsEndpoints"]
    assert (endpoint["port"], endpoint["path"]) == ("admin", "/metrics")
    (expression,) = spec["selector"]["matchExpressions"]
    for manifest in ("sidecar/sidecars.yaml", "service/deployment.yaml"):
        text = (FOLDER.parent / "overlays" / manifest).read_text()
        template = next(iter(yaml.safe_load_all(text)))["spec"]["template"]
        assert expression["key"] in template["metadata"]["labels"]
        found = [*template["spec"].get("initContainers", []), *template["spec"].get("containers", [])]
        assert [port["name"] for one in found for port in one["ports"] if port["name"] == endpoint["port"]] == ["admin"]
