"""What Envoy would run, found wherever it stands."""

from __future__ import annotations

import json

import yaml

from authz.config import Settings
from authz.envoy.checking import findings
from tests.envoy.conftest import Planted, dumped


def test_files_are_one_configuration() -> None:
    """A listener in one file, its routes and clusters in others; and each part alone."""
    planted = Planted()
    planted.off(planted.route)
    configs = dumped(planted.whole)["configs"]
    files = {f"{place}.json": json.dumps({"resources": [one]}).encode() for place, one in enumerate(configs) if place}
    assert [(one.file, one.code) for one in findings(files, Settings())] == [("3.json", "EV104")]
    alone = yaml.safe_dump({"http_filters": planted.filters}).encode()
    assert findings({"filters.yaml": alone}, Settings()) == ()
    entry = yaml.safe_dump(planted.entry | {"typed_config": planted.filter | {"failure_mode_allow": True}}).encode()
    assert [one.code for one in findings({"filter.yaml": entry}, Settings())] == ["EV201"]


def test_what_goes_out_of_a_mesh_is_not_looked_at() -> None:
    """It is not what the application is asked for."""
    planted = Planted()
    del planted.filters[0]
    planted.listener["traffic_direction"] = "OUTBOUND"
    planted.whole["static_resources"]["listeners"].append(Planted().listener)
    assert planted.codes() == []
