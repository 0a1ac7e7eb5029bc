"""Who is calling, said to those behind only where it can be said whole."""

import pytest
from pydantic import ValidationError

from authz.config.settings import SigningSettings


@pytest.mark.parametrize("given", [
    {"keys": ["a.pem"]}, {"keys": ["a.pem"], "issuer": "a"}, {"keys": ["a.pem"], "audience": "b"}, {"issuer": "a"},
    {"keys": ["a.pem"], "issuer": "a", "audience": "b", "header": "authorization"},
    {"keys": ["a.pem"], "issuer": "a", "audience": "b", "header": "x_identity"},
    {"keys": ["a.pem"], "issuer": "a", "audience": "b", "lifetime": "2d"},
])  # fmt: skip
def test_a_signed_identity_is_whole_or_off(given: dict[str, object]) -> None:
    """Keys, an issuer and an audience go together: a token for anybody is none. The header is one of our own."""
    with pytest.raises(ValidationError):
        SigningSettings.model_validate(given)
    assert SigningSettings.model_validate({"keys": ["a.pem"], "issuer": "a", "audience": "b"}).lifetime == 60
