"""Records that are asked for are records that can be kept."""

import pytest
from pydantic import ValidationError

from authz.config.settings import RecordSettings


@pytest.mark.parametrize("sink", ["-", "/dev/stdout"])
def test_standard_output_has_other_names(sink: str) -> None:
    """As other programs call it; none of them is a file of that name, numbered for each worker."""
    assert RecordSettings(sink=sink).sink == "stdout"


@pytest.mark.parametrize("given", [{"sink": "off"}, {"deny": 0.5}, {"allow": 0.0}])
def test_who_lets_nobody_in_without_a_record_records_everything(given: dict[str, object]) -> None:
    """What is not recorded would be let in all the same, or nothing would tell that records can be kept again."""
    with pytest.raises(ValidationError, match=r"record\.fail_closed needs every decision on record"):
        RecordSettings.model_validate({"fail_closed": True, **given})
    assert RecordSettings(fail_closed=True).fail_closed


@pytest.mark.parametrize("sink", ["stdout", "otlp", "off"])
def test_a_chain_needs_a_file(sink: str) -> None:
    """Lines of several processes mix on standard output, and nothing could go on with a chain after a restart."""
    with pytest.raises(ValidationError, match=r"record\.chain needs record\.sink to be a file"):
        RecordSettings(chain=True, sink=sink)
    assert RecordSettings(chain=True, sink="records.jsonl").chain
