"""Write the configurations that ship, as `authz envoy` makes them: `make envoy`. A test compares."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ENVOY = Path(__file__).parents[2] / "envoy"
MADE = {
    "sidecar.yaml": ["sidecar", "--listen", "unix:///run/authz/authz.sock"],
    "service.yaml": ["service"],
}


def made(name: str) -> str:
    """Return what one of the files is to hold."""
    command = [sys.executable, "-m", "authz", "envoy", "--bootstrap", *MADE[name]]
    return subprocess.run(command, cwd=ENVOY, env={}, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    for name in MADE:
        (ENVOY / name).write_text(made(name))
