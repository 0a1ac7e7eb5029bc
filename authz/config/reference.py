"""The settings as a page to read and as a JSON Schema for editors, both made from the fields themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from authz.config.loading import load
from authz.config.names import SETTINGS, Setting
from authz.config.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEAD = """# Settings

Read once at start: a YAML file (`--config`, or `AUTHZ_CONFIG`), then `AUTHZ_*` variables, then flags; the later wins.
In a variable, a list is separated by commas; a flag for a list is repeated. Durations and sizes carry their unit
(`20ms`, `5s`, `10m`; `64KiB`, `4MiB`). `authz serve --print-settings` shows what is in force and where it came from.
Written by `authz schema settings --output markdown`.

Workers listen on the same TCP addresses; what can't be shared is each one's own, by its number: of three, the sockets
`authz-0.sock` to `authz-2.sock` (Envoy's cluster lists them all), records in `decisions-0.jsonl` to `decisions-2.jsonl`
and the admin ports 9192 to 9194. The first of these answers for all: it is ready when all are (`/readyz`), says how
each is (`/status`), has the numbers of each with the label `worker` (`/metrics`), and its console shows all of them;
the others say their own. `authz explain ID` finds a decision at any, whichever worker made it, where records go to
files.
"""

_EXAMPLES: dict[str, object] = {
    "admin_hosts": ["authz.example.com"],
    "reload.max_age": "1h",
    "reload.verify_keys": ["/etc/authz/policies.pub"],
    "reload.require_tests": True,
    "check.body_limit": "64KiB",
    "candidate.policies": ["next/"],
    "candidate.share": 0.1,
    "redis.url": "redis://redis:6379/0",
    "redis.password_file": "/run/secrets/redis-password",
    "redis.secret_file": "/run/secrets/redis-hash-key",
    "limits.descriptors": ["ratelimit.yaml"],
    "tls.certificate": "/run/secrets/tls.crt",
    "tls.key": "/run/secrets/tls.key",
    "tls.client_ca": "/run/secrets/ca.crt",
    "client.trusted_hops": 1,
    "client.trusted_networks": ["10.0.0.0/8"],
    "geoip.country": "/var/lib/geoip/country.mmdb",
    "geoip.asn": "/var/lib/geoip/asn.mmdb",
    "identity.secrets": ["/run/secrets/policies"],
    "signing.keys": ["/run/secrets/signing.pem"],
    "signing.issuer": "https://authz.example.com",
    "signing.audience": "orders-api",
    "record.key_file": "/run/secrets/record-key",
    "otlp.endpoint": "http://collector:4318",
}
"""Examples of settings whose default says nothing."""


def reference() -> str:
    """Return the reference of all settings in Markdown."""
    sections = dict.fromkeys(name.rpartition(".")[0] for name in SETTINGS)
    return "\n".join([_HEAD, *("\n".join(_section(section)) for section in sections)])


def schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a settings file."""
    # In the mode "serialization" defaults are written as in a file: `20ms`, not `0.02`.
    made = Settings.model_json_schema(mode="serialization")
    _exemplify(made, made["properties"], "")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}


def _exemplify(made: dict[str, Any], properties: dict[str, Any], section: str) -> dict[str, object]:
    """Give every setting of a section an example, and a section those of its settings; return the examples."""
    examples: dict[str, object] = {}
    for key, told in properties.items():
        name = f"{section}{key}"
        if "$ref" in told and key in Settings.model_fields:
            part = made["$defs"][told["$ref"].rpartition("/")[2]]
            told["description"] = Settings.model_fields[key].description
            examples[key] = _exemplify(made, part["properties"], f"{name}.")
        else:
            examples[key] = _EXAMPLES.get(name, told.get("default"))
        told["examples"] = [examples[key]]
    return examples


def _section(section: str) -> Iterator[str]:
    about = Settings.model_fields[section].description if section else "The process."
    yield f"## {section or 'Top level'}\n\n{about}\n"
    yield "| file | variable | flag | default | |\n|---|---|---|---|---|"
    for name, default, _ in load(environment={}, flags={}).rows():
        if name.rpartition(".")[0] == section:
            yield _row(SETTINGS[name], default)
    yield ""


def _row(setting: Setting, default: str) -> str:
    allowed = f" One of {', '.join(f'`{one}`' for one in setting.choices)}." if setting.choices else ""
    return f"| `{setting.name}` | `{setting.variable}` | `{setting.flag}` | `{default}` | {setting.about}{allowed} |"
