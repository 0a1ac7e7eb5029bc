"""What every entry of ours says of its holder."""

from __future__ import annotations

import pytest

from authz.identity.credentials import InvalidCredential
from authz.identity.holders import Holder

HOLDER = Holder(id="one", subject="acme", roles=("r",), groups=("g",), scopes=("s",), not_before=10.0, expires=20.0)


def test_an_entry_is_good_from_its_beginning_to_before_its_end() -> None:
    """The second in which it expires is too late."""
    HOLDER.check("API key", 10.0)
    HOLDER.check("API key", 19.9)
    for now, why in ((9.9, "the API key one is not valid yet"), (20.0, "the API key one has expired")):
        with pytest.raises(InvalidCredential, match=why):
            HOLDER.check("API key", now)
    with pytest.raises(InvalidCredential, match="the password of x is disabled"):
        Holder(id="x", subject="x", disabled=True).check("password of", 0.0)


def test_an_identity_is_the_entrys() -> None:
    """Everything rules may read of it."""
    identity = HOLDER.identity("partner")
    assert (identity.authenticated, identity.provider, identity.subject, identity.key_id, identity.expires) == (
        True, "partner", "acme", "one", 20.0,
    )  # fmt: skip
    assert (identity.roles, identity.groups, identity.scopes) == (("r",), ("g",), ("s",))
