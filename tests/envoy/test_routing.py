"""Which route serves a path, and what that route says of the filter."""

from __future__ import annotations

from authz.policy import Needs
from authz.policy.routing.entries import Route
from tests.envoy.conftest import BODIES, Planted


def shown_below(planted: Planted, prefix: str) -> None:
    """Show bodies below a prefix only."""
    shown = {"match": {"prefix": prefix}, "route": planted.route["route"]}
    planted.off(planted.route, check_settings={"disable_request_body_buffering": True})
    planted.host["routes"].insert(0, shown)


def test_each_place_where_it_is_off_is_told() -> None:
    """Row E5: a list of them all, each by what it matches."""
    planted = Planted()
    planted.off(planted.route)
    planted.host["routes"].append({"match": {"path": "/health"}, "route": {"cluster": "application"}})
    planted.off(planted.host["routes"][1])
    messages = [fault.message for fault in planted.found()]
    assert [message.partition(":")[0] for message in messages] == [
        'the filter is off for route "/" of virtual host "application"',
        'the filter is off for route "/health" of virtual host "application"',
    ]


def test_bodies_are_followed_to_the_route_that_serves_them() -> None:
    """Row B2: the first route that takes the path counts, and what only may take it counts as well."""
    planted = Planted()
    shown_below(planted, "/orders/")
    assert planted.codes(needs=BODIES) == []
    conditional = {"match": {"prefix": "/", "headers": [{"name": "upgrade"}]}, "route": planted.route["route"]}
    planted.off(conditional, check_settings={"disable_request_body_buffering": True})
    planted.host["routes"].insert(0, conditional)
    assert planted.codes(needs=BODIES) == ["EV402"]
    planted.host["routes"][0]["match"] = {"path_separated_prefix": "/order"}
    assert planted.codes(needs=BODIES) == []


def test_hosts_count_where_policies_name_them() -> None:
    """A virtual host that a policy does not govern may pass bodies on unseen."""
    planted = Planted()
    other = {"name": "files", "domains": ["files.example.com"], "routes": [dict(planted.route)]}
    planted.off(other, check_settings={"disable_request_body_buffering": True})
    planted.manager["route_config"]["virtual_hosts"].insert(0, other)
    (route,) = BODIES.bodies
    for host, codes in {"api.example.com": [], "files.example.com": ["EV402"], "*.example.com": ["EV402"]}.items():
        needs = Needs(bodies=(Route(host=host, template=route.template),))
        assert planted.codes(needs=needs) == codes
