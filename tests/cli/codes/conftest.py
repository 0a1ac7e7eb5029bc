"""Examples of codes as files that `authz check` reads."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import indent

from authz.cli.codes import Example

_KINDS = {
    "policy": "Policy",
    "guardrail": "Guardrail",
    "data": "Data",
    "provider": "IdentityProvider",
    "test": "PolicyTest",
}
_NAMING = {
    "keys.yaml": ("IdentityProvider", "api_key: {from: [{header: x-api-key}], keys: keys.yaml}"),
    "users.yaml": ("IdentityProvider", "basic: {users: users.yaml}"),
    "tenants.json": ("Data", "values: {file: tenants.json}"),
}
"""Documents that name the file in which an example is."""

SOUND = """\
apiVersion: authz/v1
kind: IdentityProvider
metadata: {name: staff}
spec: {peer_certificate: {trust_domains: [cluster.local]}}
---
apiVersion: authz/v1
kind: Policy
metadata: {name: sound, annotations: {authz/ignore: AZ415}}
spec: {match: [{paths: [/sound]}], identity: {providers: [staff]}}
"""


def _document(kind: str, spec: str) -> str:
    if kind == "Policy" and not spec.startswith("match:"):
        spec = f'match: [{{paths: ["/v1"]}}]\n{spec}'
    return f"apiVersion: authz/v1\nkind: {kind}\nmetadata: {{name: d}}\nspec:\n{indent(spec, '  ')}\n"


def planted(example: Example, text: str) -> tuple[str, Mapping[str, str]]:
    """Return the name of the file that a text of an example is in, and all files; the folder has a sound policy too."""
    sound = {"sound.yaml": SOUND, **example.files}
    if example.within in _NAMING:
        return example.within, {**sound, example.within: text, "d.yaml": _document(*_NAMING[example.within])}
    if example.within == "whole":
        return "d.yaml", {**sound, "d.yaml": text}
    name = "d_test.yaml" if example.within == "test" else "d.yaml"
    return name, {**sound, name: _document(_KINDS[example.within], text)}
