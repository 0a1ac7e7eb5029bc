"""Folders that are signed by hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from authz.cli.output import Exit
from authz.store import read
from authz.store.signatures import Trust, key_id

KEY = Ed25519PrivateKey.generate()


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """Write a private key."""
    file = tmp_path / "signing.pem"
    file.write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return file


def test_a_folder_that_is_signed_is_trusted(run: Callable[..., Any], policies: Path, key: Path) -> None:
    """Its policies, its tests and where it comes from; signed again after a change, it is trusted again."""
    (policies / "orders_test.yaml").write_text("a test")
    (policies / ".provenance.json").write_text('{"commit": "c1"}')
    trust = Trust([KEY.public_key()], tests=True)
    for content in ("one", "two"):
        (policies / "more.yaml").write_text(content)
        assert run("sign", str(policies), "--key", str(key)) == (
            Exit.FINE, "", f"4 files signed by the key {key_id(KEY.public_key())}\n",
        )  # fmt: skip
        assert trust.faults(read([policies], tests=True)) == ()


def test_a_folder_that_is_not_whole_is_not_signed(run: Callable[..., Any], policies: Path, key: Path) -> None:
    """Exit 3, and nothing is written."""
    (policies / "empty.yaml").write_text("")
    ran = run("sign", str(policies), "--key", str(key))
    assert (ran.status, (policies / ".signature.json").exists()) == (Exit.POLICIES, False)
    assert "empty.yaml: is empty" in ran.out + ran.err


def test_what_is_no_key_is_told(run: Callable[..., Any], policies: Path, tmp_path: Path) -> None:
    """A missing file, and one that holds something else."""
    (tmp_path / "no.pem").write_text("no")
    for name, told in (("gone.pem", "no such file"), ("no.pem", "is no private key of Ed25519")):
        ran = run("sign", str(policies), "--key", str(tmp_path / name))
        assert ran.status == Exit.UNEXPECTED
        assert told in ran.err
