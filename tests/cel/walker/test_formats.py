"""`format` and `strings.quote`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.cel import DYN, STRING, EngineName, Environment, EvaluationError, list_of
from authz.cel.values import NoValueError
from authz.cel.walker.formats import formatted, quoted

CLAUSES = ["%s", "%d", "%f", "%.2f", "%e", "%.0e", "%x", "%X", "%o", "%b"]
FIRST = Environment({"a": list_of(DYN), "s": STRING}, engine=EngineName.CEL_EXPR_PYTHON)
WRITTEN = {clause: FIRST.compile(f"'<{clause}>'.format(a)") for clause in CLAUSES}
QUOTED = FIRST.compile("strings.quote(s)")
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**53), 2**53),
        st.floats(allow_nan=False, width=32),
        st.text(alphabet="aé\n", max_size=3),
        st.binary(max_size=2).filter(lambda content: 0 not in content),
    ),
    lambda inner: st.lists(inner, max_size=2),
    max_leaves=3,
)


@given(st.sampled_from(CLAUSES), VALUES)
def test_a_clause_prints_what_the_first_engine_prints(clause: str, value: object) -> None:
    """The same text, and an error where the other has one."""
    expected = WRITTEN[clause].value(FIRST.activation({"a": [value]}))
    try:
        found: object = formatted(f"<{clause}>", [value])
    except NoValueError:
        found = None
    assert found == (None if isinstance(expected, EvaluationError) else expected)


@pytest.mark.parametrize("template", ["%", "%q", "%.2", "%5d", "%.f", "%.1001f", "%s %s"])
def test_a_bad_format_is_an_error(template: str) -> None:
    """Clauses that are none, and arguments that are missing, have no text."""
    with pytest.raises(NoValueError):
        formatted(template, [1])


def test_arguments_left_over_are_ignored() -> None:
    """A format takes as many arguments as it has clauses."""
    assert formatted("100%% %s", ["a", "b"]) == "100% a"


@given(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_a_text_is_quoted_as_the_first_engine_quotes_it(text: str) -> None:
    """Both write the same literal."""
    assert quoted(text) == QUOTED.value(FIRST.activation({"s": text}))
