"""The file that says where a folder comes from."""

import pytest

from authz.store.provenance import Provenance, label, made, parsed, written

COMMIT = "b3ece7c0000000000000000000000000000000ab"


def test_what_is_written_is_read_again() -> None:
    """With the date in UTC, and nothing in an author's name that speaks to a terminal."""
    one = made(COMMIT, "Ann \x1b[31mRed <ann@example.com>", "2026-11-23T13:00:00+01:00", dirty=True)
    assert one == Provenance(
        commit=COMMIT, author="Ann [31mRed <ann@example.com>", date="2026-11-23T12:00:00Z", dirty=True
    )
    assert parsed(written(one)) == one
    assert parsed(b'{"commit": "v1.2"}') == Provenance(commit="v1.2")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is no provenance"),
        (b"[]", "Expected `object`, got `array`"),
        (b'{"comit": "a"}', "contains unknown field `comit`"),
        (b'{"commit": ""}', "the commit is no name"),
        (b'{"commit": "a\\nb"}', "the commit is no name"),
        (b'{"commit": "a", "dirty": "no"}', "Expected `bool`"),
        (b'{"commit": "a", "date": "yesterday"}', "the date is none"),
        (b'{"commit": "a", "date": "2026-11-23T12:00:00"}', "no time zone"),
        (b'{"commit": "\xff"}', "is no provenance"),
    ],
)
def test_what_is_not_written_so_is_no_provenance(content: bytes, told: str) -> None:
    """A record that names a wrong commit would be worse than one that names none."""
    with pytest.raises(ValueError, match=told):
        parsed(content)


def test_several_folders_are_named_together() -> None:
    """Each commit once, and one whose files differ as Git would say it."""
    folders = [Provenance(commit="a"), Provenance(commit="b", dirty=True), Provenance(commit="a")]
    assert label(folders) == "a,b-dirty"
    assert label([]) == ""
