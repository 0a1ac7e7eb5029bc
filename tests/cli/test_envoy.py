"""Envoy's configuration from the command line: made to fit, and looked through."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

import authz.envoy
from authz.cli.output import Exit
from authz.cli.verbs import VERBS

READS = """\
apiVersion: authz/v1
kind: Policy
metadata: {name: orders}
spec:
  match: [{paths: ["/orders"]}]
  rules: [{name: skus, allow: 'request.json.sku != "" && metadata["io.team"].tier == "a"'}]
"""
OPEN = "failure_mode_allow: false", "failure_mode_allow: true"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go where paths are short, to a policy that reads bodies and metadata."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "orders.yaml").write_text(READS)
    return tmp_path


def test_a_configuration_is_made_with_the_command_that_makes_it(run: Callable[..., Any], folder: Path) -> None:
    """Whoever finds the file knows how to renew it; what is made is found clean."""
    made = run("envoy", "--bootstrap", "--listen", "unix:///run/a.sock", "--workers", "2", "--upstream", "localhost:81")
    assert made.status == Exit.FINE
    assert "# Made by `authz envoy --bootstrap --listen unix:///run/a.sock --workers 2" in made.out
    clusters = yaml.safe_load(made.out)["static_resources"]["clusters"]
    pipes = [one["endpoint"]["address"] for one in clusters[0]["load_assignment"]["endpoints"][0]["lb_endpoints"]]
    assert pipes == [{"pipe": {"path": f"/run/a-{worker}.sock"}} for worker in (0, 1)]
    assert clusters[1]["type"] == "STRICT_DNS"
    (folder / "envoy.yaml").write_text(made.out)
    assert run("envoy", "--check", "envoy.yaml") == (Exit.FINE, "", "1 file read, nothing found\n")


def test_a_service_and_a_snippet_are_made(run: Callable[..., Any]) -> None:
    """The cluster is the Service, at the port that we listen on or another."""
    for flags, host, port in (([], "authz.authz.svc.cluster.local", 9292), (["--authz", "a.b:1"], "a.b", 1)):
        made = run("envoy", "--snippet", "service", "--listen", "0.0.0.0:9292", *flags)
        (cluster,) = yaml.safe_load(made.out)["clusters"]
        endpoint = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]
        assert endpoint["address"] == {"socket_address": {"address": host, "port_value": port}}


def test_policies_say_what_is_sent(run: Callable[..., Any], folder: Path) -> None:  # noqa: ARG001 - to be there
    """Bodies on their paths, their metadata, no certificate."""
    made = run("envoy", "--bootstrap", "--policies", "rules")
    listener = yaml.safe_load(made.out)["static_resources"]["listeners"][0]
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    config = manager["http_filters"][0]["typed_config"]
    assert config["metadata_context_namespaces"] == ["io.team"]
    assert "include_peer_certificate" not in config
    assert [route["match"] for route in manager["route_config"]["virtual_hosts"][0]["routes"]] == [
        {"safe_regex": {"regex": "/orders/?"}},
        {"prefix": "/"},
    ]


def test_findings_are_told_with_code_place_and_remedy(run: Callable[..., Any], folder: Path) -> None:
    """Exit code 3; the numbers go to standard error."""
    (folder / "envoy.yaml").write_text(run("envoy", "--bootstrap").out.replace(*OPEN))
    ran = run("envoy", "--check", "envoy.yaml", "--policies", "rules")
    assert ran.status == Exit.POLICIES
    heads = [line for line in ran.out.splitlines() if line.startswith("envoy.yaml:")]
    assert [head.split(": ")[1].split(" ")[0] for head in heads] == ["EV406", "EV201"]
    assert heads[1].endswith("everything is let in (failure_mode_allow: false)")
    assert ran.err == "1 file read, 2 errors, 0 warnings\n"


@pytest.mark.parametrize("form", ["json", "github", "sarif"])
def test_findings_are_told_to_programs(form: str, run: Callable[..., Any], folder: Path) -> None:
    """With their code and severity."""
    (folder / "envoy.yaml").write_text(run("envoy", "--bootstrap").out.replace("validate_mutations: true", "a: 1"))
    ran = run("envoy", "--check", "envoy.yaml", "--output", form)
    assert ran.status == Exit.POLICIES
    if form == "json":
        (fault,) = json.loads(ran.out)["faults"]
        assert (fault["code"], fault["severity"]) == ("EV306", "warning")
    elif form == "github":
        assert ran.out.startswith("::warning file=envoy.yaml,line=")
    else:
        assert json.loads(ran.out)["runs"][0]["results"][0]["level"] == "warning"


def test_what_is_meant_can_be_accepted(run: Callable[..., Any], folder: Path) -> None:
    """Row E1: by its code, and it is still counted; a code that is none is refused."""
    (folder / "envoy.yaml").write_text(run("envoy", "--bootstrap").out.replace(*OPEN))
    ran = run("envoy", "--check", "envoy.yaml", "--accept", "EV201")
    assert ran == (Exit.FINE, "", "1 file read, nothing found, 1 accepted\n")
    assert run("envoy", "--check", "envoy.yaml", "--accept", "EV999").status == Exit.ARGUMENTS


def test_a_dump_comes_by_standard_input(
    run: Callable[..., Any], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    """`curl -s localhost:9901/config_dump | authz envoy --check -`."""
    (folder / "open.yaml").write_text(run("envoy", "--bootstrap").out.replace(*OPEN))
    whole = json.dumps(yaml.safe_load((folder / "open.yaml").read_text()), indent=1)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(whole.encode())))
    ran = run("envoy", "--check", "-")
    assert ran.status == Exit.POLICIES
    assert ran.out.startswith("standard input:")


@pytest.mark.parametrize(
    "arguments",
    [
        [], ["--bootstrap", "--check"], ["--check"], ["--bootstrap", "gateway"], ["--bootstrap", "--upstream", "8080"],
        ["--snippet", "sidecar", "service"], ["--bootstrap", "--authz", "a:b"], ["--bootstrap", "--listen-port", "0"],
        ["--bootstrap", "--tls-certificate", "c.pem", "--tls-key", "k.pem"],
    ],
)  # fmt: skip
def test_arguments_that_make_no_sense_are_refused(arguments: list[str], run: Callable[..., Any]) -> None:
    """Exit code 2, in words."""
    ran = run("envoy", *arguments)
    assert (ran.status, ran.out) == (Exit.ARGUMENTS, "")
    assert ran.err


def test_a_file_that_is_not_there_is_told(run: Callable[..., Any]) -> None:
    """In a line."""
    ran = run("envoy", "--check", "/nowhere/envoy.yaml")
    assert (ran.status, ran.out) == (Exit.ARGUMENTS, "")
    assert "can't read /nowhere/envoy.yaml: No such file or directory\n" in ran.err


def test_broken_policies_are_told_instead(run: Callable[..., Any], broken: str) -> None:
    """What they read cannot be known."""
    ran = run("envoy", "--bootstrap", "--policies", broken)
    assert (ran.status, ran.out) == (Exit.POLICIES, "")
    assert 'unknown key "alow"' in ran.err


def test_the_missing_extra_is_named(run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """To make needs it, to check does not."""
    monkeypatch.delitem(sys.modules, "authz.envoy.generating", raising=False)
    monkeypatch.delattr(authz.envoy, "generating", raising=False)
    monkeypatch.setitem(sys.modules, "betterproto2", None)
    ran = run("envoy", "--bootstrap")
    assert (ran.status, ran.out) == (Exit.UNEXPECTED, "")
    assert "pip install 'envoy-cel-authz[envoy]'" in ran.err


def test_the_example_is_the_check() -> None:
    """What most people come for."""
    assert VERBS["envoy"].example == "authz envoy --check envoy.yaml"
