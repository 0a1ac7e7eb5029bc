"""The image and the compose file: what they copy and mount exists, and they run as tightly as a pod does."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from authz import __version__
from authz.config import load

DEPLOY = Path(__file__).parents[2] / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]


def test_image_takes_any_base() -> None:
    """Both stages start from BASE_IMAGE, so an own base or mirror needs no edit."""
    assert re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE) == ["${BASE_IMAGE}", "${BASE_IMAGE}"]


def test_image_is_what_the_lock_says() -> None:
    """Versions and hashes come from the lock, the installer's own included."""
    assert "--constraint requirements.lock --build-constraint requirements.lock" in DOCKERFILE
    assert "--require-hashes --requirement uv.lock" in DOCKERFILE
    lock = (DEPLOY.parent / "requirements.lock").read_text()
    (uv,) = re.findall(r"^uv==.*?[^\\]$", lock, re.MULTILINE | re.DOTALL)
    assert "--hash=sha256:" in uv
    assert "\nuvloop" not in uv


def test_image_is_compiled_unless_told_otherwise() -> None:
    """What compiles stays in the first stage; a build that was to compile and did not ends."""
    first, last = re.split(r"^FROM .*$", DOCKERFILE, flags=re.MULTILINE)[1:]
    assert "ARG COMPILED=true" in first
    assert 'HATCH_BUILD_HOOK_ENABLE_CUSTOM="$COMPILED"' in first
    assert '[ "$COMPILED" != true ] || echo "$built" | grep -q compiled' in first
    assert "apt-get" in first
    assert "RUN" not in last


def test_image_is_nobodys_root() -> None:
    """The user and group are those the manifests count on."""
    assert re.findall(r"^USER (.*)$", DOCKERFILE, re.MULTILINE) == ["10001:10000"]


def test_image_gets_what_it_copies() -> None:
    """Every source of a COPY exists, and the ignore file lets it through."""
    allowed = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE):
        *sources, _ = line.split()
        for source in sources:
            assert (DEPLOY.parent / source).exists(), source
            assert f"!{source}" in allowed, source


@pytest.mark.parametrize("name", SERVICES)
def test_compose_runs_as_tightly_as_a_pod(name: str) -> None:
    """No capability, no new rights, a root that can't be written, ports on loopback."""
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


@pytest.mark.parametrize("name", SERVICES)
def test_compose_mounts_what_exists(name: str) -> None:
    """Every bind mount has its source, and policies are a folder (row L2)."""
    for mount in SERVICES[name].get("volumes", []):
        source, target, *_ = mount.split(":")
        if source.startswith("."):
            assert (DEPLOY / source).exists(), source
            assert "policies" not in target or (DEPLOY / source).is_dir()


def test_compose_starts_authz_with_settings_there_are() -> None:
    """Its flags are read as `authz serve` reads them, and Envoy waits until it is healthy."""
    verb, *words = SERVICES["authz"]["command"]
    given = dict(zip(words[::2], words[1::2], strict=True))
    names = {"--policies": "policies", "--listen": "listen", "--admin": "admin", "--redis": "redis.url"}
    flags = {names[flag]: (word,) if flag in {"--policies", "--listen"} else word for flag, word in given.items()}
    settings = load(environment={}, flags=flags).settings
    assert verb == "serve"
    assert settings.listen == ("unix:///run/authz/authz.sock",)
    assert SERVICES["authz"]["image"] == f"envoy-cel-authz:{__version__}"
    assert SERVICES["envoy"]["depends_on"] == {"authz": {"condition": "service_healthy"}}


def test_compose_and_manifests_run_the_same_images() -> None:
    """One version of each program, wherever it runs."""
    texts = [path.read_text() for path in DEPLOY.glob("**/*.yaml") if "monitoring" not in path.parts]
    images = {image for text in texts for image in re.findall(r"^\s*image: (\S+)$", text, re.MULTILINE)}
    programs = [image.partition(":")[0] for image in images]
    assert len(programs) == len(set(programs)), images
    assert shlex.join(SERVICES["envoy"]["command"]) in {
        shlex.join(yaml.safe_load(args)) for text in texts for args in re.findall(r"args: (\[--config-path.*\])", text)
    }
