"""One line of a diagnosis."""

from authz.cli.doctor.finding import Grade, fine, odd, wrong


def test_what_is_not_fine_has_a_remedy() -> None:
    """A finding without one would only be a complaint: the makers ask for it."""
    assert (fine("a", "b").grade, fine("a", "b").remedy) == (Grade.FINE, "")
    assert [make("a", "b", "c").remedy for make in (odd, wrong)] == ["c", "c"]
