"""What Envoy tells the service besides the request itself, and what it leaves out: what was not told is never a yes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.conftest import filter_of, manager_of, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.conftest import Edge

pytestmark = pytest.mark.slow

POLICIES = """\
apiVersion: authz/v1
kind: Policy
metadata: {name: told}
spec:
  match: [{paths: ["/**"]}]
  rules:
    - name: seen
      allow: request.path == "/"
      response_headers: {set: {x-client: "${client.ip}", x-source: "${source.ip}"}}
    - {name: tier, allow: 'request.path in ["/gold", "/silver"] && route.extensions.tier == "gold"'}
    - {name: tagged, allow: 'request.path == "/tagged" && metadata["authz.test"].tier == "gold"'}
    - {name: is, allow: 'request.path == "/is" && metadata["envoy.filters.http.jwt_authn"].sub == "alice"'}
    - {name: is-not, allow: 'request.path == "/is-not" && metadata["envoy.filters.http.jwt_authn"].sub != "bob"'}
    - {name: bad, deny: 'request.path == "/hidden" && request.headers["x-hidden"] == "bad"'}
    - {name: not-bad, allow: request.path == "/hidden"}
"""


def change(configuration: dict[str, Any]) -> None:
    """Have Envoy say more of some routes, tag requests, and keep one header back."""
    tags = {"metadata_namespace": "authz.test", "value": {"tier": "gold"}}
    tagging = {
        "name": "envoy.filters.http.set_metadata",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.set_metadata.v3.Config",
            "metadata": [tags],
        },
    }
    extended = {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute",
        "check_settings": {"context_extensions": {"tier": "gold"}},
    }
    filter_of(configuration)["metadata_context_namespaces"] = ["authz.test", "envoy.filters.http.jwt_authn"]
    filter_of(configuration)["disallowed_headers"] = {"patterns": [{"exact": "x-hidden"}]}
    manager = manager_of(configuration)
    manager["skip_xff_append"] = True  # for a peer on loopback Envoy would append this machine's address
    routes = manager["route_config"]["virtual_hosts"][0]["routes"]
    routes.insert(
        0,
        {
            "match": {"path": "/gold"},
            "route": routes[0]["route"],
            "typed_per_filter_config": {"envoy.filters.http.ext_authz": extended},
        },
    )
    manager["http_filters"].insert(0, tagging)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """Return an Envoy that tells more, and a service behind one trusted proxy."""
    folder = tmp_path_factory.mktemp("told")
    (folder / "policies").mkdir()
    (folder / "policies" / "told.yaml").write_text(POLICIES)
    (folder / "settings.yaml").write_text("client: {trusted_hops: 1}\n")
    with running(
        folder, "--config", str(folder / "settings.yaml"), policies=folder / "policies", change=change
    ) as edge:
        yield edge


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ((), "127.0.0.1"),
        (("198.51.100.7",), "198.51.100.7"),
        (("10.0.0.1, 198.51.100.7",), "198.51.100.7"),
        (("10.0.0.1", "198.51.100.7"), "198.51.100.7"),
        (("10.0.0.1," * 500 + "198.51.100.7",), "198.51.100.7"),
        (("::ffff:10.0.0.1",), "10.0.0.1"),
        (("evil",), "127.0.0.1"),
        (("198.51.100.7:80",), "127.0.0.1"),
        (("[::1]",), "127.0.0.1"),
        (('"1.1.1.1, 2.2.2.2"',), "127.0.0.1"),
        (("127.1",), "127.0.0.1"),
        (("198.51.100.7, ",), "127.0.0.1"),
    ],
)
def test_a_caller_does_not_choose_its_address(forwarded: tuple[str, ...], client: str, told: Edge) -> None:
    """Row H9: behind one trusted proxy the last entry counts; one that is no address is nobody's."""
    answer = told.ask(headers=[("x-forwarded-for", value) for value in forwarded])
    assert (answer["x-client"], answer["x-source"]) == (client, "127.0.0.1")


def test_what_a_route_says_is_said_of_that_route(told: Edge) -> None:
    """Row H13: `context_extensions` come from the route that matched, and no caller can write them."""
    assert told.ask(target="/gold").status == 200
    denied = told.ask(target="/silver", headers={"tier": "gold", "x-envoy-tier": "gold"})
    assert (denied.status, denied.problem["reason"]) == (403, "no_rule")
    assert told.service.record(denied["x-authz-decision-id"] or "")["documents"][0]["error"]


def test_metadata_that_was_not_sent_is_neither_equal_nor_different(told: Edge) -> None:
    """Row E8: a namespace that no filter filled is an error to a rule, not an empty map; one that was is read."""
    assert told.ask(target="/tagged").status == 200
    assert [told.ask(target=target).status for target in ("/is", "/is-not")] == [403, 403]


@pytest.mark.parametrize("value", ["good", "bad"])
def test_a_header_that_envoy_keeps_back_is_an_error_to_a_rule(value: str, told: Edge) -> None:
    """Row E9: a deny rule that reads it denies, whatever it says: it cannot be told from one that is not there."""
    answer = told.ask(target="/hidden", headers={"x-hidden": value})
    assert (answer.status, answer.problem["reason"]) == (403, "rule_error")


def test_envoy_counts_what_was_decided(told: Edge) -> None:
    """Row E10: under the prefix of the shipped filter, for dashboards."""
    before = [told.envoy.stat(f"http.ingress.ext_authz.authz.{name}") for name in ("ok", "denied", "error")]
    assert [told.ask(target=target).status for target in ("/", "/silver")] == [200, 403]
    after = [told.envoy.stat(f"http.ingress.ext_authz.authz.{name}") for name in ("ok", "denied", "error")]
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 1, 0]
