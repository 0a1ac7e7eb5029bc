"""The page about providers: every example is served, and what it promises is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from authz.config.names import SETTINGS
from authz.policy import key_entries, user_entries
from authz.server.deciding import compiler

PAGE = (Path(__file__).parents[2] / "authz" / "identity" / "docs" / "providers.md").read_text()
SOURCES = "".join(path.read_text() for path in (Path(__file__).parents[2] / "authz" / "identity").glob("*.py"))
DOCUMENTS = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
(KEYS,) = re.findall(r"^```yaml keys\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
(USERS,) = re.findall(r"^```yaml users\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_every_example_is_served(tmp_path: Path) -> None:
    """All documents of the page together are one set of policies without a fault."""
    (tmp_path / "secret").write_text("s")
    documents = "---\n".join(DOCUMENTS).replace("/run/secrets/introspection", str(tmp_path / "secret"))
    served = compiler("auto").compile(
        {"a.yaml": documents.encode(), "partner-keys.yaml": KEYS.encode(), "users.yaml": USERS.encode()}
    )
    names = {document.name for document in served.documents if document.kind == "IdentityProvider"}
    assert names == {"keycloak", "auth0", "entra", "okta", "partners", "mesh", "edge", "opaque", "cluster", "office"}
    (entry,) = key_entries("partner-keys.yaml", KEYS.encode())
    assert entry.id == "acme-2026"
    (user,) = user_entries("users.yaml", USERS.encode())
    assert user.id == "alice"


@pytest.mark.parametrize("setting", re.findall(r"`((?:identity|signing)\.[a-z_]+)`", PAGE))
def test_every_setting_exists(setting: str) -> None:
    """What the page names can be set."""
    assert setting in SETTINGS


@pytest.mark.parametrize("detail", re.findall(r"^\| ((?:the|no|not) [^|]+?) \|", PAGE, re.MULTILINE))
def test_every_detail_is_one_that_is_told(detail: str) -> None:
    """The words of the page are the words of the records."""
    assert detail in SOURCES
