"""Mounts that no update reaches (row L2)."""

from pathlib import Path

import pytest

from authz.store import Pinned, PolicyStore, store
from authz.store.mounts import pinned

VOLUME = "/var/lib/kubelet/pods/1/volumes/kubernetes.io~configmap/policies"


def _line(root: str, point: str) -> str:
    return f"36 35 98:0 {root} {point} ro,relatime - ext4 /dev/vda1 rw\n"


@pytest.mark.parametrize(
    ("root", "point", "expected"),
    [
        (VOLUME, "/policies", ()),
        (f"{VOLUME}/..2026_11_23/a.yaml", "/policies/a.yaml", ("/policies/a.yaml",)),
        (f"{VOLUME}/..2026_11_23/team", "/policies", ("/policies",)),
        ("/home/me/a.yaml", "/policies/a.yaml", ("/policies/a.yaml",)),
        ("/home/me/policies", "/policies", ()),
        ("/x/..2026/other.yaml", "/elsewhere/other.yaml", ()),
    ],
    ids=["volume", "subPath of a file", "subPath of a folder", "bind of a file", "bind of a folder", "elsewhere"],
)
def test_a_mount_of_one_version_is_found(root: str, point: str, expected: tuple[str, ...]) -> None:
    """A mount of a file, or of what lies in one `..timestamp`, is named; a mount of a whole volume is not."""
    mountinfo = _line("/", "/") + _line(root, point) + "nonsense\n"
    assert pinned([Path("/policies")], ["/policies/a.yaml"], mountinfo) == expected


def test_escaped_names_are_read() -> None:
    """A blank in a path is written as its octal number (proc(5))."""
    line = _line(r"/home/me/a\040b.yaml", r"/policies/a\040b.yaml")
    assert pinned([Path("/policies")], ["/policies/a b.yaml"], line) == ("/policies/a b.yaml",)


def test_the_store_warns_of_it_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The warning comes once, beside what was loaded."""
    (tmp_path / "policies").mkdir()
    file = tmp_path / "policies" / "a.yaml"
    file.write_text("a")
    (tmp_path / "mountinfo").write_text(_line("/home/me/a.yaml", str(file)))
    monkeypatch.setattr(store, "MOUNTINFO", tmp_path / "mountinfo")
    events: list[object] = []
    PolicyStore([tmp_path / "policies"], _Nothing(), on_event=events.append).load()
    assert events[0] == Pinned(paths=(str(file),))


class _Nothing:
    def compile(self, _: object) -> object:
        return type("Policies", (), {"digest": ""})
