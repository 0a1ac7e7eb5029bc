"""Whole configurations, and the parts to paste into one that is there already.

The door to Envoy's own types: they come with the extra `envoy`, and whoever imports this says how to get it. Parts and
whole are made of the same messages, so neither can say something that the other does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from betterproto2 import Casing
from envoy_data_plane.envoy.config.bootstrap.v3 import Admin, Bootstrap, BootstrapStaticResources
from envoy_data_plane.envoy.config.core.v3 import Address, Node, SocketAddress

from authz.envoy.clusters import application, authz
from authz.envoy.filter import ext_authz, unshown
from authz.envoy.fitting import fit
from authz.envoy.listener import listener, one_reading
from authz.envoy.writing import write

if TYPE_CHECKING:
    from betterproto2 import Message

    from authz.config import Settings
    from authz.envoy.fitting import Wanted
    from authz.policy import Needs


def bootstrap(wanted: Wanted, settings: Settings, needs: Needs | None, about: str = "") -> str:
    """Return a configuration that runs as it is, `about` in its first lines; raises `SettingsFaults`."""
    fitting = fit(wanted, settings, needs)
    node = "sidecar" if wanted.kind == "sidecar" else "gateway"
    clusters = [authz(fitting), application(wanted.upstream, http2=wanted.upstream_http2)]
    whole = Bootstrap(
        node=Node(id=node, cluster=node),
        admin=Admin(address=Address(socket_address=SocketAddress(address="127.0.0.1", port_value=wanted.admin_port))),
        static_resources=BootstrapStaticResources(listeners=[listener(fitting, wanted.listen_port)], clusters=clusters),
    )
    return write(_plain(whole), about)


def snippet(wanted: Wanted, settings: Settings, needs: Needs | None, about: str = "") -> str:
    """Return what to paste: into an HTTP connection manager, among the clusters, and on routes without bodies."""
    fitting = fit(wanted, settings, needs)
    manager = one_reading()
    manager.http_filters = [ext_authz(fitting)]
    parts: dict[str, Any] = {"http_connection_manager": _plain(manager), "clusters": [_plain(authz(fitting))]}
    if fitting.bodies is not None and fitting.bodies.paths is not None:
        parts["typed_per_filter_config"] = {name: _plain(config) for name, config in unshown().items()}
    return write(parts, about)


def _plain(message: Message) -> dict[str, Any]:
    """Return a message as Envoy reads it, by the names of its own documentation."""
    return message.to_dict(casing=Casing.SNAKE)
