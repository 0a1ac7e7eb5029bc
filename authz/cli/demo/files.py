"""The files the demo runs on: the repository's own where there is a checkout, else the copies in the wheel."""

from __future__ import annotations

import shutil
from pathlib import Path

_PACKAGED = Path(__file__).parent / "files"
_CHECKOUT = Path(__file__).parents[3]


def policies(scratch: Path) -> Path:
    """Return the folder of the shop's policies, to be edited in place; a copy in `scratch` where they come packaged."""
    checkout = _CHECKOUT / "policies" / "shop"
    if checkout.is_dir():
        return checkout
    return Path(shutil.copytree(_PACKAGED / "policies", scratch / "policies"))


def envoy_configuration() -> str:
    """Return `envoy/sidecar.yaml`."""
    checkout = _CHECKOUT / "envoy" / "sidecar.yaml"
    return (checkout if checkout.is_file() else _PACKAGED / "sidecar.yaml").read_text()
