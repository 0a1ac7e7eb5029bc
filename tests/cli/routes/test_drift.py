"""Policies held against the description of an API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.cli.from_openapi import read
from authz.cli.routes.drift import drift
from authz.policy import Exposure
from authz.server.deciding import policies_in

if TYPE_CHECKING:
    from pathlib import Path

API = """\
openapi: 3.1.0
info: {title: Shop, version: "1"}
servers: [{url: "https://api.example.com/v1"}]
paths:
  /open: {get: {responses: {"200": {description: fine}}}}
  /kept: {get: {responses: {"200": {description: fine}}}}
  /files/{name}.json:
    parameters: [{name: name, in: path, required: true, schema: {type: string}}]
    get: {operationId: file, responses: {"200": {description: fine}}}
  /nobody: {get: {responses: {"200": {description: fine}}}}
  /none: {post: {responses: {"200": {description: fine}}}}
"""

POLICIES = """\
apiVersion: authz/v1
kind: Policy
metadata: {name: open}
spec:
  match: [{paths: [/v1/open, /v1/kept]}]
  rules: [{name: all, allow: true}]
---
apiVersion: authz/v1
kind: Policy
metadata: {name: kept}
spec:
  match: [{paths: [/v1/kept, /v1/files/a.json, /old/**]}]
  rules: [{name: some, allow: '"x" in request.headers'}]
---
apiVersion: authz/v1
kind: Policy
metadata: {name: nobody}
spec: {match: [{paths: [/v1/nobody]}]}
"""


def test_every_difference_is_found(tmp_path: Path) -> None:
    """Open to all, denied to all, governed in part, not described: each with its path below the server's own."""
    (tmp_path / "api.yaml").write_text(API)
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "shop.yaml").write_text(POLICIES)
    found = drift(Exposure(policies_in([folder]).written).lines, read(tmp_path / "api.yaml").description.operations)
    assert [(each.found, each.method, each.path, each.operation) for each in found] == [
        ("open", "GET", "/v1/open", ""),
        ("in part", "GET", "/v1/files/{name}.json", "file"),
        ("denied", "GET", "/v1/nobody", ""),
        ("denied", "POST", "/v1/none", ""),
        ("undescribed", "", "/old/**", ""),
    ]


def test_a_policy_that_allows_everything_opens_nothing_that_another_keeps(tmp_path: Path) -> None:
    """Every policy must allow: of the routes that take an operation, the one with most policies counts."""
    (tmp_path / "api.yaml").write_text(API)
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "shop.yaml").write_text(POLICIES.replace("[/v1/open, /v1/kept]", '["/**"]'))
    found = drift(Exposure(policies_in([folder]).written).lines, read(tmp_path / "api.yaml").description.operations)
    assert [each.path for each in found if each.found == "open"] == ["/v1/open", "/v1/files/{name}.json", "/v1/none"]
