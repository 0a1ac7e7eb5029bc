"""Documents get their own secrets and no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from authz.config import load
from authz.errors import PolicyFaults
from authz.identity.registry import KeyRegistry
from authz.server.deciding import compiler
from authz.server.entrusted import ACCOUNT, LARGEST, Entrusted, entrusted
from authz.server.governing import governing
from authz.server.identifying import IN_CLUSTER, IdentityBuilder
from authz.server.outputs import outputs

INTROSPECTION = """
apiVersion: authz/v1
kind: IdentityProvider
metadata: {name: opaque}
spec:
  introspection: {issuer: i, endpoint: "https://evil.example/", client_id: a, client_secret_file: "FILE"}
"""
HELD = """
apiVersion: authz/v1
kind: IdentityProvider
metadata: {name: partner}
spec: {api_key: {from: [{header: x-api-key}], keys: keys.yaml, secret_file: "FILE"}}
"""
KEYS = b"- {id: a, subject: a, sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08}"
REVIEWED = """
apiVersion: authz/v1
kind: IdentityProvider
metadata: {name: cluster}
spec: {kubernetes: {audiences: [orders], server: "https://evil.example"ACCOUNT}}
"""


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """Return a file with a secret and a line end."""
    (tmp_path / "secrets").mkdir()
    file = tmp_path / "secrets" / "file"
    file.write_text(" s3cret of sixteen bytes\n")
    return file


def test_a_secret_loses_its_line_end(secret: Path) -> None:
    """Editors add one."""
    assert Entrusted().text(str(secret)) == "s3cret of sixteen bytes"
    assert Entrusted([secret.parent]).content(str(secret)) == b"s3cret of sixteen bytes"


@pytest.mark.parametrize("name", ["secrets/file", "secrets/../secrets/file", "link", "linked/file", "root"])
def test_what_is_ours_is_lent_by_no_name(tmp_path: Path, secret: Path, name: str) -> None:
    """Dots and links, of the file or of a folder above it, lead to the same secret."""
    (tmp_path / "link").symlink_to(secret)
    (tmp_path / "linked").symlink_to(secret.parent)
    (tmp_path / "root").symlink_to(f"/proc/self/root{secret}")
    with pytest.raises(ValueError, match="this service's own"):
        Entrusted(ours=[secret]).text(str(tmp_path / name))
    with pytest.raises(ValueError, match="this service's own"):
        Entrusted(ours=[tmp_path / "linked"]).text(str(tmp_path / name))


def test_folders_for_documents_hold_all_their_secrets(tmp_path: Path, secret: Path) -> None:
    """A link out of the folder is not in it; a folder that is swapped by a link, as a kubelet does, is."""
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "out").symlink_to(secret)
    kept = Entrusted([tmp_path / "policies"])
    for file in (secret, tmp_path / "policies" / "out"):
        with pytest.raises(ValueError, match=r"identity\.secrets"):
            kept.text(str(file))
    (tmp_path / "policies" / "..1").mkdir()
    (tmp_path / "policies" / "..1" / "token").write_text("t")
    (tmp_path / "policies" / "..data").symlink_to("..1")
    (tmp_path / "policies" / "token").symlink_to("..data/token")
    assert kept.text(str(tmp_path / "policies" / "token")) == "t"


def test_the_kernel_s_view_of_processes_is_nobody_s_secret() -> None:
    """The environment of this process may hold the password of Redis."""
    with pytest.raises(ValueError, match="the system's"):
        Entrusted().content("/proc/self/environ")


def test_a_secret_has_an_end(tmp_path: Path) -> None:
    """What has none would be read until there is no memory left."""
    with pytest.raises(ValueError, match="no regular file"):
        Entrusted().content("/dev/zero")
    (tmp_path / "large").write_bytes(b"a" * (LARGEST + 1))
    with pytest.raises(ValueError, match="larger than"):
        Entrusted().content(str(tmp_path / "large"))


def test_whatever_settings_name_for_this_service_is_its_own(tmp_path: Path, secret: Path) -> None:
    """Each of them by itself, and the account that Kubernetes mounts."""
    own: dict[str, dict[str, str | tuple[str, ...]]] = {
        "redis.password_file": {"redis.url": "redis://127.0.0.1:1"},
        "redis.secret_file": {"redis.url": "redis://127.0.0.1:1"},
        "tls.key": {"tls.certificate": str(tmp_path / "crt")},
        "record.key_file": {},
        "signing.keys": {"signing.issuer": "i", "signing.audience": "a"},
    }
    for name, beside in own.items():
        value = (str(secret),) if name == "signing.keys" else str(secret)
        settings = load(environment={}, flags={name: value, **beside}).settings
        with pytest.raises(ValueError, match="this service's own"):
            entrusted(settings).text(str(secret))
        with pytest.raises(ValueError, match="this service's own"):
            entrusted(settings).text(f"{ACCOUNT}/token")
    assert entrusted(load(environment={}, flags={}).settings).text(str(secret))


@pytest.mark.parametrize("document", [INTROSPECTION, HELD])
def test_a_document_that_names_a_secret_of_ours_is_a_fault(secret: Path, document: str) -> None:
    """At its key, and the secret is in no message: an endpoint of the author's choice would have been sent it."""
    builder = IdentityBuilder(KeyRegistry(), secrets=Entrusted(ours=[secret]))
    files = {"a.yaml": document.replace("FILE", str(secret)).encode()} | (
        {"keys.yaml": KEYS} if document is HELD else {}
    )
    with pytest.raises(PolicyFaults, match="cannot be used: it is no document's") as faults:
        compiler("auto", builder).compile(files)
    assert "s3cret" not in str(faults.value)
    compiler("auto", IdentityBuilder(KeyRegistry())).compile(files)


@pytest.mark.parametrize("account", ["", f", account_token_file: {ACCOUNT}/token"])
def test_our_account_is_shown_to_no_server_of_a_document_s_choice(account: str) -> None:
    """It is for the API server of the cluster that we run in."""
    document = REVIEWED.replace("ACCOUNT", account)
    with pytest.raises(PolicyFaults, match="cannot be used: it is no document's"):
        compiler("auto").compile({"a.yaml": document.encode()})
    compiler("auto").compile({"a.yaml": document.replace("https://evil.example", IN_CLUSTER).encode()})


def test_the_service_lends_none_of_its_secrets(tmp_path: Path, secret: Path) -> None:
    """Policies that name one never come into force."""
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "a.yaml").write_text(INTROSPECTION.replace("FILE", str(secret)))
    environment = {"AUTHZ_RECORD_SINK": "off", "AUTHZ_RECORD_KEY_FILE": str(secret)}
    settings = load(environment=environment, flags={"policies": (str(tmp_path / "policies"),)}).settings
    made = governing(settings, outputs(settings, 0))
    made.store.load()
    assert made.snapshot() is None
    assert "it is no document's" in str(made.store.faults[0])
