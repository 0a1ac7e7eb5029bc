"""A reader of kustomizations, as far as `deploy/` uses them: what `kubectl apply -k` would send.

So that the manifests are tested as a cluster gets them, also where no kubectl is. Whatever a kustomization says that
is not handled here is refused, and `test_kustomize.py` compares with `kubectl kustomize` where that is installed.
Names of generated objects carry no hash here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

Manifest = dict[str, Any]

_KNOWN = {"apiVersion", "kind", "namespace", "resources", "configMapGenerator", "patches"}
_CLUSTER_WIDE = {"Namespace"}


def build(folder: Path) -> list[Manifest]:
    """Return every object of a kustomization, in no particular order."""
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    unknown = kustomization.keys() - _KNOWN
    assert not unknown, f"{folder}: the tests do not know {unknown}"
    manifests = [one for place in kustomization.get("resources", []) for one in _resource(folder, place)]
    manifests += [_config_map(folder, entry) for entry in kustomization.get("configMapGenerator", [])]
    for patch in kustomization.get("patches", []):
        _patch(manifests, patch, yaml.safe_load((folder / patch["path"]).read_text()))
    if "namespace" in kustomization:
        for manifest in manifests:
            _put_into(manifest, kustomization["namespace"])
    return manifests


def _resource(folder: Path, place: str) -> list[Manifest]:
    path = (folder / place).resolve()
    if path.is_dir():
        return build(path)
    assert path.parent == folder.resolve(), f"{place} is outside {folder}, where kustomize reads no file"
    return [manifest for manifest in yaml.safe_load_all(path.read_text()) if manifest]


def _config_map(folder: Path, entry: dict[str, Any]) -> Manifest:
    unknown = entry.keys() - {"name", "files", "options"}
    assert not unknown, f"{folder}: the tests do not know {unknown}"
    data = {}
    for file in entry["files"]:
        key, _, name = file.rpartition("=")
        path = (folder / name).resolve()
        assert path.is_relative_to(folder.resolve()), f"{name} is outside {folder}, where kustomize reads no file"
        data[key or path.name] = path.read_text()
    metadata = {"name": entry["name"]}
    if labels := entry.get("options", {}).get("labels"):
        metadata["labels"] = labels
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def _patch(manifests: list[Manifest], patch: dict[str, Any], change: Manifest) -> None:
    target = patch["target"]
    assert target.keys() == {"kind", "labelSelector"}, f"the tests do not know the target {target}"
    label, value = target["labelSelector"].split("=")
    selected = [
        manifest
        for manifest in manifests
        if manifest["kind"] == target["kind"] and manifest["metadata"].get("labels", {}).get(label) == value
    ]
    assert selected, f"nothing is patched: {target}"
    for manifest in selected:
        for key in change.keys() - {"apiVersion", "kind", "metadata"}:
            manifest[key] = _merged(manifest.get(key), change[key])


def _merged(old: Any, new: Any) -> Any:
    """Merge as a strategic merge patch does: maps by key, lists of named things by name, the patch's first."""
    if isinstance(old, dict) and isinstance(new, dict):
        return old | {key: _merged(old.get(key), value) for key, value in new.items()}
    if isinstance(old, list) and isinstance(new, list):
        named = {one["name"]: one for one in old}
        patched = [_merged(named.pop(one["name"], None), one) for one in new]
        return patched + list(named.values())
    return new


def _put_into(manifest: Manifest, namespace: str) -> None:
    key = "name" if manifest["kind"] in _CLUSTER_WIDE else "namespace"
    manifest["metadata"][key] = namespace
