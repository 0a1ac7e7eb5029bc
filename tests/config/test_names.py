"""A setting has one name in each place it can be written."""

from authz.config.names import SECTIONS, SETTINGS
from authz.config.sources import from_environment


def test_variables_and_flags_are_unique() -> None:
    """No two settings share a variable or a flag."""
    assert len({setting.variable for setting in SETTINGS.values()}) == len(SETTINGS)
    assert len({setting.flag for setting in SETTINGS.values()}) == len(SETTINGS)


def test_no_variable_looks_like_one_of_the_kubelets() -> None:
    """A Service called `authz-something` can't set a setting by the variables it brings."""
    given = from_environment({setting.variable: "x" for setting in SETTINGS.values()}).given
    assert set(given) == set(SETTINGS)


def test_sections_are_the_first_words_of_names() -> None:
    """A setting in a section is written section, dot, name."""
    assert {
        "candidate", "check", "client", "geoip", "identity", "limits", "otlp", "record", "redis", "reload", "signing",
        "tls",
    } == SECTIONS  # fmt: skip
