"""Signed folders: what was signed is served, all of it and nothing else."""

import base64
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from authz.errors import Fault
from authz.store import signatures
from authz.store.folders import Origin, Reading, read
from authz.store.signatures import Trust, files_of, key_id, private_key, public_key, sign

PAGE = (Path(__file__).parents[2] / "authz/store/docs/provenance.md").read_text()
REFUSALS = re.findall(r"^\| `(.+?)` \|", PAGE.partition("| message |")[2].partition("\n\n")[0], re.MULTILINE)
OURS, THEIRS = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
FILES = {"a.yaml": "a", "teams/b.yaml": "b", "a_test.yaml": "t", ".provenance.json": '{"commit": "c1"}'}
NAMES = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder that we signed."""
    root = tmp_path / "p"
    for name, content in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    signed(root)
    return root


def signed(folder: Path, key: Ed25519PrivateKey = OURS) -> None:
    """Sign what a folder holds."""
    reading = read([folder], tests=True)
    (origin,) = reading.origins
    (folder / ".signature.json").write_bytes(sign(files_of(origin, reading), key))


def told(folder: Path, *, tests: bool = False, trusted: Ed25519PrivateKey = OURS) -> list[str]:
    """Say what is wrong with a folder, without its path."""
    faults = Trust(
        [THEIRS.public_key(), trusted.public_key()] if trusted is OURS else [trusted.public_key()], tests=tests
    )
    return [str(fault).replace(f"{folder}", "p") for fault in faults.faults(read([folder], tests=tests))]


@pytest.mark.parametrize("tests", [False, True])
def test_what_was_signed_is_good(tests: bool, folder: Path) -> None:
    """By any of the keys that are trusted, with tests and without."""
    assert told(folder, tests=tests) == []
    signed(folder, THEIRS)
    assert told(folder, tests=tests) == []


def test_what_is_not_signed_is_refused(folder: Path) -> None:
    """No file is served because nobody said anything."""
    (folder / ".signature.json").unlink()
    assert told(folder) == ["p: is not signed (authz sign does, reload.verify_keys wants it)"]


def test_another_key_is_refused(folder: Path) -> None:
    """The fault names the keys that would count."""
    signed(folder, THEIRS)
    other = Ed25519PrivateKey.generate()
    assert told(folder, trusted=other) == [
        f"p/.signature.json: is by a key that is not trusted ({key_id(other.public_key())} would be)"
    ]


def test_every_file_that_differs_is_named(folder: Path) -> None:
    """Changed, added, missing, and where it comes from: all at once."""
    (folder / "a.yaml").write_text("A")
    (folder / "c.yaml").write_text("c")
    (folder / "teams" / "b.yaml").rename(folder / "b.yaml")
    (folder / ".provenance.json").write_text('{"commit": "c2"}')
    assert told(folder) == [
        "p/.provenance.json: is not what was signed",
        "p/a.yaml: is not what was signed",
        "p/b.yaml: is not among the files that were signed",
        "p/c.yaml: is not among the files that were signed",
        "p/teams/b.yaml: was signed and is missing",
    ]


def test_a_test_cannot_be_taken_away_where_tests_count(folder: Path) -> None:
    """Else policies that fail would come into force by losing the test that says so."""
    (folder / "a_test.yaml").unlink()
    assert told(folder) == []
    assert told(folder, tests=True) == ["p/a_test.yaml: was signed and is missing"]


def _altered(folder: Path, **changes: object) -> None:
    file = folder / ".signature.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"files": {"a.yaml": "0" * 64}}, "is not a signature of its list of files by the key it names"),
        ({"signature": base64.b64encode(b"0" * 64).decode()}, "is not a signature of its list"),
        ({"signature": "", "files": {}}, "is not a signature of its list"),
        ({"signature": "?"}, "is no signature: "),
        ({"key": key_id(THEIRS.public_key())}, "is not a signature of its list"),
        ({"format": "authz.signature/v2"}, "is no signature: its format is not authz.signature/v1"),
        ({"more": 1}, "is no signature: Object contains unknown field `more`"),
        ({"files": {"a\nb": "0" * 64}}, "can't be signed: "),
        ({"files": {"a.yaml": "0"}}, "can't be signed: the digest of 'a.yaml' is none"),
    ],
)
def test_a_signature_that_was_touched_is_none(changes: dict[str, object], expected: str, folder: Path) -> None:
    """Whatever else it says."""
    _altered(folder, **changes)
    (fault,) = told(folder)
    assert fault.startswith(f"p/.signature.json: {expected}")


def test_a_file_cannot_be_hidden_in_the_digest_of_another(folder: Path) -> None:
    """The signed text has one reading: a file is a line of it, whatever the list makes of it.

    A test may be missing where tests are not read. Were its digest two lines, the policy on the first could be, too.
    """
    said = json.loads((folder / ".signature.json").read_text())
    files = said["files"]
    files["a_test.yaml"] = f"{files.pop('a.yaml')}  a.yaml\n{files['a_test.yaml']}"
    (folder / ".signature.json").write_text(json.dumps(said))
    (folder / "a.yaml").unlink()
    (folder / "a_test.yaml").unlink()
    assert len(told(folder)) == 1
    assert "p/.signature.json: can't be signed: the digest of 'a_test.yaml' is none" in told(folder)[0]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff"])
def test_garbage_is_no_signature(content: bytes, folder: Path) -> None:
    """It is told and refused."""
    (folder / ".signature.json").write_bytes(content)
    (fault,) = told(folder)
    assert fault.startswith("p/.signature.json: is no signature: ")


def test_a_file_alone_is_in_no_signed_folder(folder: Path) -> None:
    """Nor is a second folder signed by the first one's signature."""
    reading = read([folder / "a.yaml"])
    (fault,) = Trust([OURS.public_key()]).faults(reading)
    assert fault.message == "is in no folder that is signed"
    (folder.parent / "q").mkdir()
    (folder.parent / "q" / "q.yaml").write_text("q")
    faults = Trust([OURS.public_key()]).faults(read([folder, folder.parent / "q"]))
    assert [fault.message for fault in faults] == ["is not signed"]


@given(st.dictionaries(NAMES, st.binary(max_size=20), min_size=1, max_size=5), NAMES, st.binary(max_size=20))
def test_any_change_of_any_file_is_seen(files: dict[str, bytes], name: str, content: bytes) -> None:
    """A set of files verifies if and only if it is the one that was signed."""
    marks = {".signature.json": sign(files, OURS)}
    changed = {**files, name: content}
    origin = Origin(source="p", folder="p", marks=marks, head="")
    reading = Reading(
        files={f"p/{each}": one for each, one in changed.items()},
        faults=(),
        content="",
        swapped=True,
        origins=(origin,),
    )
    assert (Trust([OURS.public_key()]).faults(reading) == ()) == (changed == files)


def test_names_that_could_be_read_in_two_ways_are_not_signed() -> None:
    """A list of names and digests is lines."""
    with pytest.raises(ValueError, match="has to be a name of printable ASCII"):
        sign({"a\n" + "0" * 64 + "  b.yaml": b""}, OURS)


def test_only_keys_of_ed25519_are_taken() -> None:
    """Another kind, another half, one behind a passphrase, or no key."""
    raw = Encoding.PEM, PrivateFormat.PKCS8
    private, public = (
        OURS.private_bytes(*raw, NoEncryption()),
        OURS.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    )
    assert key_id(private_key(private).public_key()) == key_id(public_key(public))
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    locked = OURS.private_bytes(*raw, BestAvailableEncryption(b"secret"))
    for pem in (public, other.private_bytes(*raw, NoEncryption()), locked, b"", b"\xff"):
        with pytest.raises(ValueError, match="is no private key of Ed25519"):
            private_key(pem)
    for pem in (private, b""):
        with pytest.raises(ValueError, match="is no public key of Ed25519"):
            public_key(pem)


@pytest.mark.skipif(not all(map(shutil.which, ("openssl", "jq"))), reason="openssl or jq is not installed")
def test_other_programs_verify_the_same(folder: Path) -> None:
    """With the commands of the page, run in the folder; a change is seen by them too."""
    commands = re.findall(r"```\n(jq .*?)```", PAGE, re.DOTALL)[0]
    (folder / "public.pem").write_bytes(OURS.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    shell = ["/bin/sh", "-ec", commands]
    assert subprocess.run(shell, cwd=folder, check=False, capture_output=True).returncode == 0
    (folder / "a.yaml").write_text("A")
    assert subprocess.run(shell, cwd=folder, check=False, capture_output=True).returncode != 0


@pytest.mark.parametrize("told", REFUSALS)
def test_every_refusal_of_the_page_is_one(told: str) -> None:
    """In the words that faults have."""
    assert told in Path(signatures.__file__).read_text()


def test_the_last_signed_policies_stay(volume: Callable[..., Any], watch: Callable[..., Any]) -> None:
    """A swap of a ConfigMap whose files are not those that were signed changes nothing (row L3)."""
    one = volume("a", {"a.yaml": "1"})
    reading = read([one.folder], tests=True)
    signature = sign({"a.yaml": b"1"}, OURS).decode()
    assert files_of(reading.origins[0], reading) == {"a.yaml": b"1"}
    one.swap({"a.yaml": "1", ".signature.json": signature})
    watched = watch(one.folder, trust=Trust([OURS.public_key()]))
    assert watched.wait(0).generation == 1
    one.swap({"a.yaml": "2", ".signature.json": signature})
    assert watched.wait(1).faults == (Fault(file=f"{one.folder}/a.yaml", message="is not what was signed"),)
    one.swap({"a.yaml": "2", ".signature.json": sign({"a.yaml": b"2"}, OURS).decode()})
    assert watched.wait(2).generation == 2
    assert watched.served() == {"a.yaml": "2"}
