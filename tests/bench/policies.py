"""The policies of the benchmarks: three documents with four rules, and documents by the thousand.

Each set comes with the checks that it decides. The large set is laid out like a real one: fifty documents a file, a
hundred hosts, a path of its own for every document, conditions that differ, so that nothing is shared by accident.
Folders have the shape of a mounted ConfigMap: files are links into `..data`, and one rename changes all of them.
"""

from __future__ import annotations

import os
from itertools import count, cycle
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from checks import Check

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SHOP = Path(__file__).parents[2] / "policies" / "shop"
HOSTS = 100
PER_FILE = 50

THREE_DOCUMENTS = {
    "platform.yaml": """\
apiVersion: authz/v1
kind: Guardrail
metadata: {name: maintenance}
spec:
  rules:
    - name: read-only
      deny: request.method != "GET" && request.headers[?"x-maintenance"].orValue("off") == "on"
      status: 503
---
apiVersion: authz/v1
kind: Policy
metadata: {name: platform}
spec:
  match: [{paths: ["/**"]}]
  rules:
    - name: from-inside
      allow: request.headers["x-forwarded-proto"] in ["http", "https"] && source.ip.matches("^(10|127)[.]")
""",
    "orders.yaml": """\
apiVersion: authz/v1
kind: Policy
metadata: {name: orders}
spec:
  match:
    - hosts: [api.example.com]
      paths: ["/v1/tenants/{tenant}/orders", "/v1/tenants/{tenant}/orders/{id}"]
  rules:
    - name: readers
      allow: request.method == "GET" && request.headers["x-tenant"] == request.params.tenant
    - name: writers
      allow: >-
        request.method in ["POST", "PUT"] && request.headers["x-tenant"] == request.params.tenant
        && "writer" in request.headers["x-roles"].split(",")
""",
}


def three_document_checks(number: int) -> list[Check]:
    """Return checks that all of `THREE_DOCUMENTS` decide: in ten, eight reads, a write and a refusal."""
    return [_order(index) for index in range(number)]


def _order(index: int) -> Check:
    tenant = f"tenant-{index % 50}"
    orders = f"/v1/tenants/{tenant}/orders"
    roles = {"x-tenant": tenant, "x-roles": "reader,writer"}
    if index % 10 == 8:
        return Check(method="POST", path=orders, headers=roles)
    if index % 10 == 9:
        return Check(path=f"{orders}/{index}", headers=roles | {"x-tenant": "another"}, allowed=False)
    return Check(path=f"{orders}/{index}?page={index % 7}", headers=roles)


def many_documents(number: int, *, changed: int | None = None) -> dict[str, str]:
    """Return `number` policies, `PER_FILE` to a file; number `changed` lets nobody in any more."""
    documents = [_document(index, closed=index == changed) for index in range(number)]
    return {
        f"team-{start // PER_FILE:03}.yaml": "---\n".join(documents[start : start + PER_FILE])
        for start in range(0, number, PER_FILE)
    }


def _document(index: int, *, closed: bool) -> str:
    tenant = "nobody" if closed else f"t{index}"
    return f"""\
apiVersion: authz/v1
kind: Policy
metadata:
  name: service-{index}
  annotations: {{owner: team-{index // PER_FILE}}}
spec:
  match:
    - hosts: [h{index % HOSTS}.example.com]
      paths: ["/v1/r{index // HOSTS}", "/v1/r{index // HOSTS}/{{id}}"]
  rules:
    - name: readers
      allow: request.method == "GET" && request.headers["x-tenant"] == "{tenant}"
    - name: writers
      allow: request.method == "POST" && request.headers["x-tenant"] == "{tenant}" && size(request.params) == 0
"""


def many_document_checks(documents: Sequence[int]) -> list[Check]:
    """Return one allowed check for each of these documents of `many_documents`."""
    return [
        Check(
            host=f"h{index % HOSTS}.example.com",
            path=f"/v1/r{index // HOSTS}/{place}",
            headers={"x-tenant": f"t{index}"},
        )
        for place, index in enumerate(documents)
    ]


def shop_checks(number: int) -> list[Check]:
    """Return checks for the demo's policies in `SHOP`: visitors, a tenant's orders, and a path that nothing governs."""
    visits = (
        Check(path="/products/{}"),
        Check(path="/orders/{}", headers={"x-tenant": "acme"}),
        Check(path="/admin/{}", allowed=False),
    )
    return [
        msgspec.structs.replace(check, path=check.path.format(index))
        for index, check in zip(range(number), cycle(visits), strict=False)
    ]


class ConfigMap:
    """A folder as a kubelet mounts it: `name -> ..data/name`, `..data -> ..N`; a change is one rename."""

    def __init__(self, folder: Path, files: Mapping[str, str]) -> None:
        self.folder = folder
        self._versions = count()
        folder.mkdir()
        for name in files:
            (folder / name).symlink_to(f"..data/{name}")
        self.swap(self.stage(files))

    def stage(self, files: Mapping[str, str]) -> Path:
        """Write the next version beside the current one, unseen, and return its folder."""
        staged = self.folder / f"..{next(self._versions)}"
        staged.mkdir()
        for name, text in files.items():
            (staged / name).write_text(text)
        return staged

    def swap(self, staged: Path) -> None:
        """Make a staged version the current one, atomically."""
        link = self.folder / "..data_tmp"
        link.symlink_to(staged.name)
        os.replace(link, self.folder / "..data")  # noqa: PTH105 - the call whose atomicity is meant
