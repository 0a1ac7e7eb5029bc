"""What ships, to be changed, and what is found in it then."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import yaml

from authz.config import Settings
from authz.envoy.checking import findings
from authz.policy import Needs
from authz.policy.routing.entries import Route
from authz.policy.routing.routes import template

ENVOY = Path(__file__).parents[2] / "envoy"
FILTER = "envoy.filters.http.ext_authz"
TYPES = "type.googleapis.com/envoy.extensions.filters.http"
BODIES = Needs(bodies=(Route(template=template("/orders/{id}")),))

Tree = dict[str, Any]


class Planted:
    """What ships, to be changed."""

    def __init__(self, name: str = "sidecar.yaml") -> None:
        self.whole: Tree = yaml.safe_load((ENVOY / name).read_text())
        self.listener: Tree = self.whole["static_resources"]["listeners"][0]
        self.chain: Tree = self.listener["filter_chains"][0]
        self.manager: Tree = self.chain["filters"][0]["typed_config"]
        self.filters: list[Tree] = self.manager["http_filters"]
        self.entry = self.filters[0]
        self.filter: Tree = self.entry["typed_config"]
        self.service: Tree = self.filter["grpc_service"]
        self.host: Tree = self.manager["route_config"]["virtual_hosts"][0]
        self.route: Tree = self.host["routes"][0]
        self.clusters: list[Tree] = self.whole["static_resources"]["clusters"]
        self.cluster = self.clusters[0]

    def off(self, place: Tree, **settings: Any) -> None:
        """Give a place settings of the filter; without any it is off."""
        config = {"@type": f"{TYPES}.ext_authz.v3.ExtAuthzPerRoute", **(settings or {"disabled": True})}
        place["typed_per_filter_config"] = {FILTER: config}

    def before(self, name: str, place: int = 0, kind: str = "") -> None:
        """Put another filter at a place."""
        typed = {"@type": f"{TYPES}.{kind or name.rpartition('.')[2]}.v3.Anything"}
        self.filters.insert(place, {"name": name, "typed_config": typed})

    def codes(self, settings: Settings | None = None, needs: Needs | None = None) -> list[str]:
        """Return what is found."""
        return [one.code for one in self.found(settings, needs)]

    def found(self, settings: Settings | None = None, needs: Needs | None = None) -> list[Any]:
        """Return what is found."""
        return list(findings({"envoy.yaml": yaml.safe_dump(self.whole).encode()}, settings or Settings(), needs))


def dumped(whole: Tree) -> Tree:
    """Return a configuration as Envoy's admin port dumps it, its routes apart from its listener."""
    resources = whole["static_resources"]
    manager = resources["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    routes = manager.pop("route_config")
    manager["rds"] = {"route_config_name": routes["name"]}
    kind = partial("type.googleapis.com/envoy.{}".format)
    listener = {"@type": kind("config.listener.v3.Listener"), **resources["listeners"][0]}
    clusters = [{"cluster": {"@type": kind("config.cluster.v3.Cluster"), **one}} for one in resources["clusters"]]
    routes = {"@type": kind("config.route.v3.RouteConfiguration"), **routes}
    return {
        "configs": [
            {"@type": kind("admin.v3.BootstrapConfigDump"), "bootstrap": {"admin": whole["admin"]}},
            {"@type": kind("admin.v3.ClustersConfigDump"), "dynamic_active_clusters": clusters},
            {
                "@type": kind("admin.v3.ListenersConfigDump"),
                "dynamic_listeners": [{"name": "ingress", "active_state": {"listener": listener}}],
            },
            {"@type": kind("admin.v3.RoutesConfigDump"), "dynamic_route_configs": [{"route_config": routes}]},
        ]
    }
