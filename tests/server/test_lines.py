"""One record as it is read back."""

import msgspec

from authz.server.lines import Line, RequestLine


def test_a_limit_had_nothing_against_what_policies_allowed() -> None:
    """What was turned away for its rate counts as allowed; what no document was asked about is left out."""
    limited = Line(format="authz.record/v1", decision="deny", reason="rate_limited", request=RequestLine())
    assert not limited.decided
    assert msgspec.structs.replace(limited, documents=[msgspec.Raw(b"{}")]).decided
    assert limited.effect == "allow"
    assert not Line(format="authz.record/v1", reason="malformed", request=RequestLine()).decided
