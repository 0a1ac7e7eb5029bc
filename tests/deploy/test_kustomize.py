"""The tests' own reader of kustomizations sees what kubectl sees."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.deploy.kustomize import Manifest, build

DEPLOY = Path(__file__).parents[2] / "deploy"


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
@pytest.mark.parametrize("form", ["overlays/sidecar", "overlays/service", "monitoring"])
def test_reader_agrees_with_kubectl(form: str) -> None:
    """Objects are the same, hashes in names and the order of objects aside."""
    command = ["kubectl", "kustomize", str(DEPLOY / form)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    hashed = re.compile(r"\b(authz-settings|envoy-sidecar|app)-[0-9a-z]{10}\b")
    expected = yaml.safe_load_all(hashed.sub(r"\1", told))
    assert _sorted(build(DEPLOY / form)) == _sorted([_without_annotations(one) for one in expected])


def _sorted(manifests: list[Manifest]) -> list[Manifest]:
    return sorted(manifests, key=lambda one: (one["kind"], one["metadata"]["name"]))


def _without_annotations(manifest: Manifest) -> Manifest:
    if not manifest["metadata"].get("annotations", True):
        del manifest["metadata"]["annotations"]
    return manifest
