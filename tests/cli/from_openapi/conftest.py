"""APIs to make policies of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from authz.cli.from_openapi.reading import Source, read

SHOP = (Path(__file__).parent / "shop.yaml").read_text()


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Write the description of a shop."""
    (tmp_path / "api").mkdir()
    file = tmp_path / "api" / "shop.yaml"
    file.write_text(SHOP)
    return file


@pytest.fixture
def source(tmp_path: Path) -> Callable[[str], Source]:
    """Read a description."""

    def read_source(text: str) -> Source:
        file = tmp_path / "api.yaml"
        file.write_text(f"openapi: 3.1.0\ninfo: {{title: A}}\n{text}")
        return read(file)

    return read_source
