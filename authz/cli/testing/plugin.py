"""A plugin of pytest: files `*_test.yaml` are collected, each test an item, about the policies beside or above them.

It is loaded by every run of pytest where this package is installed, so it imports next to nothing until it meets such
a file. Files of other programs are passed over, as `authz test` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from authz.cli.testing.ours import is_ours

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from authz.testing import Result

_ENDINGS = ("_test.yaml", "_test.yml")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> PolicyTests | None:
    """Collect a file of tests of policies."""
    if not file_path.name.endswith(_ENDINGS) or not is_ours(file_path):
        return None
    return PolicyTests.from_parent(parent, path=file_path)


class NotAsExpected(Exception):
    """A test of policies that failed; the message says how."""


class PolicyTests(pytest.File):
    """One file."""

    def collect(self) -> Iterable[pytest.Item]:
        """Run its tests, which takes a millisecond each, and give each an item."""
        from authz.cli.testing.files import batches  # noqa: PLC0415 - see above
        from authz.cli.testing.running import ran  # noqa: PLC0415
        from authz.errors import PolicyFaults  # noqa: PLC0415

        try:
            results = ran(batches([self.path], []), "").results
        except PolicyFaults as faults:
            raise self.CollectError(str(faults)) from None
        for result in results:
            yield PolicyItem.from_parent(self, name=result.title.replace("::", ":"), result=result)


class PolicyItem(pytest.Item):
    """One test."""

    def __init__(self, *, result: Result, **more: Any) -> None:  # noqa: ANN401 - as declared by pytest
        super().__init__(**more)
        self._result = result

    def runtest(self) -> None:
        """Say how it ended."""
        if self._result.failures:
            from authz.cli.testing.showing import pretty  # noqa: PLC0415 - see above

            raise NotAsExpected(pretty([self._result]))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *_: object) -> Any:  # noqa: ANN401 - as declared
        """Return what `authz test` would show."""
        return str(excinfo.value) if isinstance(excinfo.value, NotAsExpected) else super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return where it is written."""
        return self.path, self._result.line - 1, self.name
