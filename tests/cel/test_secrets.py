"""Secrets that expressions use and never see."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

from authz.cel import EvaluationError, Secret
from authz.cel.secrets import equal, hmac_sha256

if TYPE_CHECKING:
    from authz.cel import Environment

KEY = b"It's a Secret to Everybody"
SIGNATURE = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


def test_a_signature_is_githubs() -> None:
    """The test vector of GitHub's documentation of webhooks, as text and as bytes."""
    secret = Secret(KEY)
    for content in ("Hello, World!", b"Hello, World!", bytearray(b"Hello, World!")):
        assert hmac_sha256(secret.fitted, content) == SIGNATURE  # type: ignore[arg-type]


def test_equal_is_equality_of_texts() -> None:
    """Of any length and any letters."""
    assert equal("ä", "ä")
    for other in ("", "a", "ab", "ä\0"):
        assert not equal("ä", other)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        (f"hash.hmac_sha256(data.secret, b) == '{SIGNATURE}'", True),
        (f"hash.equal('sha256=' + hash.hmac_sha256(data.secret, b), 'sha256={SIGNATURE}')", True),
        ("hash.equal(hash.hmac_sha256(data.secret, s), '757107')", False),
    ],
)
def test_an_expression_verifies_a_signature(environment: Environment, source: str, value: object) -> None:
    """On every engine."""
    secret = Secret(KEY)
    activation = environment.activation({"data.secret": secret, "b": b"Hello, World!", "s": "Hello, World!"})
    assert environment.compile(source).value(activation) is value


@pytest.mark.parametrize(
    "source", ["data.secret", "string(data.secret)", "dyn(data.secret)", "[data.secret]", "data.secret.name"]
)
def test_no_expression_reads_a_secret(environment: Environment, source: str) -> None:
    """O2: whatever an author writes, the bytes of a secret are in no value, and in no text of one."""
    secret = Secret(KEY)
    try:
        value = environment.compile(source).value(environment.activation({"data.secret": secret}))
    except Exception as error:  # noqa: BLE001 - a fault is as good, if it does not tell
        value = error
    assert "Everybody" not in f"{value!r} {value} {secret!r} {secret} {secret.fitted!r}"


def test_a_secret_that_is_gone_signs_nothing(environment: Environment) -> None:
    """Its number is good as long as policies keep it."""
    secret = Secret(KEY)
    handle = secret.fitted
    del secret
    gc.collect()
    found = environment.compile("hash.hmac_sha256(data.secret, s)").value(
        environment.activation({"data.secret": handle, "s": ""})
    )
    assert isinstance(found, EvaluationError)
