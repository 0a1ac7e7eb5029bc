"""Routes as their readers want them."""

from __future__ import annotations

from authz.cli.routes.drift import Drift, Found
from authz.cli.routes.gathering import Exposing, Row
from authz.cli.routes.history import Change
from authz.cli.routes.report import data, markdown, pretty
from authz.cli.routes.traffic import Seen, Traffic
from authz.policy import Exposed
from authz.policy.exposure import Flag

LINE = Exposed(
    host="api.example.com", method="GET", path="/a|b", policies=("p",), guardrails=(), partly=("q",),
    providers=("staff", "partner"), required=False, rules=(), validations=(), limits=(), owners=("<b>",),
    flags=(Flag.ANONYMOUS,),
)  # fmt: skip
SHOWN = Exposing(
    rows=(Row(line=LINE, tests=("a", "b", "c", "d"), change=Change(), seen=Seen()),),
    traffic=Traffic(),
    drift=(Drift(found=Found.DENIED, method="GET", path="/x\x1b[0m", operation="op"),),
)


def test_people_read_texts_that_speak_to_no_terminal() -> None:
    """Control characters of paths are replaced; what is not known has no line."""
    shown = pretty(SHOWN)
    assert "\x1b" not in shown
    assert "denied: GET /x�[0m (op): no policy allows the operation" in shown
    assert "  identity    staff or partner, or anonymous\n" in shown
    assert "  tests       a; b; c; and 1 more\n" in shown
    assert "  changed     not committed\n" in shown
    assert "  in part     q\n" in shown
    assert "limits" not in shown
    assert "traffic to no route: none\n" in shown
    counted = pretty(Exposing(rows=(), traffic=Traffic(by_policy=True)))
    assert counted.startswith("traffic is what the policies of a route have said")
    assert shown.endswith("1 route, 1 anonymous, 1 difference from the API")


def test_a_review_gets_a_table_that_nothing_breaks() -> None:
    """Pipes and tags of policies are escaped."""
    shown = markdown(SHOWN)
    assert "| GET api.example.com/a\\|b |" in shown
    assert "\\<b\\>" in shown
    assert "### Policies and the API" in shown


def test_a_program_gets_what_is_not_known_as_null() -> None:
    """A route without traffic says that it was looked for."""
    (route,) = data(SHOWN)["routes"]
    assert route["traffic"] == {"last": None}
    assert route["last_change"]["commit"] == ""
    assert data(SHOWN)["drift"][0]["found"] == "denied"
    assert "drift" not in data(Exposing(rows=()))
