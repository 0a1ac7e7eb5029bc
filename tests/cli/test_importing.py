"""Policies made of what another program was configured with."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from authz.cli.output import Exit


def test_a_ratelimit_configuration_becomes_a_guardrail(run: Callable[..., Any], tmp_path: Path) -> None:
    """The policy goes to standard output, what was made to standard error."""
    (tmp_path / "c.yaml").write_text(
        "domain: d\ndescriptors: [{key: path, rate_limit: {unit: day, requests_per_unit: 1}}]"
    )
    ran = run("import", "ratelimit", str(tmp_path / "c.yaml"))
    assert ran.status == 0
    assert yaml.safe_load(ran.out)["kind"] == "Guardrail"
    assert ran.err == "1 limit; the notes at the head say what to look at\n"


def test_a_configuration_with_faults_is_told(run: Callable[..., Any], tmp_path: Path) -> None:
    """With the exit code of files that are checked, as a description of an API is."""
    (tmp_path / "c.yaml").write_text("domain: d\nlimits: []")
    ran = run("import", "ratelimit", str(tmp_path / "c.yaml"))
    assert (ran.status, ran.out) == (Exit.POLICIES, "")
    assert "`limits`" in ran.err


@pytest.mark.parametrize(("content", "told"), [(b"\xff", "no UTF-8"), (None, "does not exist")])
def test_what_cannot_be_read_is_told(content: bytes | None, told: str, run: Callable[..., Any], tmp_path: Path) -> None:
    """Exit code 2, and nothing on standard output."""
    if content is not None:
        (tmp_path / "c.yaml").write_bytes(content)
    ran = run("import", "ratelimit", str(tmp_path / "c.yaml"))
    assert (ran.status, ran.out) == (Exit.ARGUMENTS, "")
    assert told in ran.err


SHOP = (Path(__file__).parent / "from_openapi" / "shop.yaml").read_text()
API = """\
openapi: 3.1.0
info: {title: A}
paths:
  /a/{id}:
    get:
      tags: [a]
      parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
      security: [{token: [read]}]
components: {securitySchemes: {token: {type: http, scheme: bearer}}}
"""


def test_a_description_becomes_policies_that_pass_their_tests(run: Callable[..., Any], tmp_path: Path) -> None:
    """What is made has no faults, its tests pass as they are, and it says what to do next."""
    (tmp_path / "api.yaml").write_text(API)
    made = str(tmp_path / "made")
    flags = ("--issuer", "https://login.example.com/", "--audience", "a")
    ran = run("import", "openapi", str(tmp_path / "api.yaml"), "--output-dir", made, *flags)

    assert ran.status == 0, ran.err
    names = ("a.yaml", "a_test.yaml", "api.yaml", "contract.yaml", "providers.yaml")
    assert ran.out.split() == [f"{made}/{name}" for name in names]
    assert f"next: authz check {made} && authz test {made}" in ran.err
    assert run("check", made).status == 0
    tested = run("test", made)
    assert (tested.status, "4 passed" in tested.out) == (0, True), tested.out


def test_a_whole_shop_passes_its_tests(run: Callable[..., Any], tmp_path: Path) -> None:
    """Keys, passwords, certificates and tokens side by side, and operations that share a path."""
    (tmp_path / "api.yaml").write_text(SHOP)
    made = str(tmp_path / "made")
    flags = ("--trust-domain", "cluster.local", "--audience", "shop", "--host", "api.example.com")
    assert run("import", "openapi", str(tmp_path / "api.yaml"), "--output-dir", made, *flags).status == 0
    assert run("check", made).status == 0
    tested = run("test", made)
    assert tested.status == 0, tested.out + tested.err


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ((), "--output-dir is missing"),
        (("--output-dir", "made"), 'the scheme "token" needs --issuer and --audience'),
    ],
)
def test_what_has_to_be_said_is_told(
    flags: tuple[str, ...], told: str, run: Callable[..., Any], tmp_path: Path
) -> None:
    """Exit code 2, and nothing is written."""
    (tmp_path / "api.yaml").write_text(API)
    flags = tuple(str(tmp_path / flag) if flag == "made" else flag for flag in flags)
    ran = run("import", "openapi", str(tmp_path / "api.yaml"), *flags)

    assert ran.status == Exit.ARGUMENTS
    assert told in " ".join(ran.err.replace("│", " ").split())
    assert not (tmp_path / "made").exists()


def test_a_description_with_faults_makes_nothing(run: Callable[..., Any], tmp_path: Path) -> None:
    """Exit code 3, each fault with its place; what is there already is not overwritten."""
    file = tmp_path / "api.yaml"
    file.write_text(API.replace("tags", "tagz"))
    ran = run("import", "openapi", str(file), "--output-dir", str(tmp_path / "made"))
    assert ran.status == Exit.POLICIES
    assert 'api.yaml:6:7: AZ208 unknown key "tagz" (did you mean "tags"?)' in ran.err

    file.write_text(API)
    (tmp_path / "a.yaml").write_text("mine")
    flags = ("--output-dir", str(tmp_path), "--issuer", "https://login.example.com/", "--audience", "a")
    ran = run("import", "openapi", str(file), *flags)
    assert ran.status == Exit.ARGUMENTS
    assert "a.yaml (--force overwrites)" in " ".join(ran.err.split())
    assert (tmp_path / "a.yaml").read_text() == "mine"
    assert run("import", "openapi", str(tmp_path / "no.yaml"), *flags).status == Exit.ARGUMENTS
