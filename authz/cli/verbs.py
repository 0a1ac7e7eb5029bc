"""What `authz` can do: a row per verb. To add one, write its module and add its row."""

from __future__ import annotations

from typing import NamedTuple


class Verb(NamedTuple):
    """One verb: the module whose `command` does it, what the list of verbs says, and an example that works."""

    module: str
    about: str
    example: str


VERBS = {
    "serve": Verb(
        "authz.cli.serve",
        "Answer Envoy: the gRPC service.",
        "authz serve --policies policies/ --listen unix:///run/authz/authz.sock",
    ),
    "demo": Verb(
        "authz.cli.demo.command",
        "Run a shop behind a real Envoy, with requests to paste.",
        "authz demo --exit-after-check",
    ),
    "check": Verb(
        "authz.cli.check",
        "Read policies and report every fault, each with its place.",
        "authz check policies/",
    ),
    "fmt": Verb(
        "authz.cli.fmt",
        "Write policies and tests in one way.",
        "authz fmt --check policies/",
    ),
    "help": Verb(
        "authz.cli.codes.command",
        "Explain a code that was shown beside a fault.",
        "authz help AZ103",
    ),
    "init": Verb(
        "authz.cli.init.command",
        "Write policies to start from, with tests and schemas.",
        "authz init my-api",
    ),
    "test": Verb(
        "authz.cli.testing.command",
        "Run the tests of policies.",
        "authz test policies/",
    ),
    "eval": Verb(
        "authz.cli.eval",
        "Decide one request and show what the caller would see.",
        "authz eval GET https://api.example.com/v1/orders/7 -H 'x-tenant: acme' --as alice",
    ),
    "envoy": Verb(
        "authz.cli.envoy",
        "Make Envoy's configuration, or find holes in one.",
        "authz envoy --check envoy.yaml",
    ),
    "explain": Verb(
        "authz.cli.explain.command",
        "Explain a decision, rule by rule and part by part.",
        "authz explain GET https://api.example.com/v1/orders/7 -H 'x-tenant: acme' --as alice",
    ),
    "replay": Verb(
        "authz.cli.replay.command",
        "Decide recorded requests again by other policies.",
        "authz replay decisions.jsonl --policies policies/",
    ),
    "routes": Verb(
        "authz.cli.routes.command",
        "List what is exposed, and how it is protected.",
        "authz routes --policies policies/ --output markdown",
    ),
    "diff": Verb(
        "authz.cli.diff.command",
        "Show what a change of policies means.",
        "authz diff main --policies policies/ --fail-on-widen",
    ),
    "sign": Verb(
        "authz.cli.sign",
        "Sign a folder of policies.",
        "authz sign policies/ --key signing.pem",
    ),
    "provenance": Verb(
        "authz.cli.provenance",
        "Print the commit that policies come from.",
        "authz provenance policies/ > policies/.provenance.json",
    ),
    "keys": Verb(
        "authz.cli.keys",
        "Make an API key, or hash a password, and its entry.",
        "authz keys new --id acme-2026 --subject acme --scope orders:read",
    ),
    "import": Verb(
        "authz.cli.importing",
        "Make policies of an API's description or of rate limits.",
        "authz import openapi api.yaml --output-dir policies/api",
    ),
    "limits": Verb(
        "authz.cli.counts",
        "Show or reset what Redis has counted for one caller.",
        "authz limits show orders/per-subject alice --redis redis://redis:6379/0",
    ),
    "audit": Verb(
        "authz.cli.audit",
        "Check records that are in a chain.",
        "authz audit verify /var/log/authz/decisions.jsonl",
    ),
    "schema": Verb(
        "authz.cli.schema",
        "Print a JSON Schema.",
        "authz schema policy > policy.schema.json",
    ),
    "doctor": Verb(
        "authz.cli.doctor.command",
        "Say what is wrong with a running installation.",
        "authz doctor --admin http://127.0.0.1:9192 --envoy-admin http://127.0.0.1:9901",
    ),
    "bench": Verb(
        "authz.cli.bench.command",
        "Measure a running service, beside one that does nothing.",
        "authz bench GET https://api.example.com/v1/orders/7 --address unix:///run/authz/authz.sock",
    ),
    "healthcheck": Verb(
        "authz.cli.healthcheck",
        "Ask a running service for its health; for probes.",
        "authz healthcheck unix:///run/authz/authz.sock",
    ),
}
