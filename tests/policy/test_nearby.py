"""Documents that nearly govern a request."""

from __future__ import annotations

import pytest

from authz.policy.nearby import _why
from authz.policy.routing.entries import Route
from authz.policy.routing.routes import routes, segments, template


@pytest.mark.parametrize(
    ("route", "near"),
    [
        (Route(template=template("/a/{id}")), None),
        (Route(template=template("/a/**")), None),
        (Route(host="*.example.com", template=template("/a/{id}")), None),
        (Route(host="x.com", template=template("/a/{id}")), 1.0),
        (Route(host="x.com", template=template("/**")), 0.0),
        (Route(host="ap.example.com", template=template("/**")), 1.0),
        (Route(template=template("/a/{id}"), methods=("PUT",)), 1.0),
        (Route(host="x.com", template=template("/a/{id}"), methods=("PUT",)), 0.0),
        (Route(template=template("/a/{id}/items")), 2 / 3),
        (Route(template=template("/a")), 0.5),
        (Route(template=template("/b/{id}")), 0.0),
        (Route(template=template("/ab/{id}")), 0.0),
        (Route(host="x.com", template=template("/a")), 0.0),
    ],
)
def test_a_document_is_near_where_one_thing_does_not_fit(route: Route, near: float | None) -> None:
    """`None` for a route that fits; a path that begins otherwise, or two things that do not fit, are not near."""
    found = list(_why(route, "api.example.com", segments("/a/7"), "GET"))
    assert [share for share, _ in found] == ([] if near is None else [pytest.approx(near)])


def test_every_host_is_one_that_fits() -> None:
    """A document without `match` governs everything."""
    (route,) = routes(())
    assert list(_why(route, "any", segments("/"), "GET")) == []


def test_a_slip_of_the_pen_is_near() -> None:
    """`/order/7` was to be `/orders/7`."""
    found = _why(Route(template=template("/orders/{id}")), "h", segments("/order/7"), "GET")
    assert list(found) == [(0.75, "its path is /orders/{id}")]
