"""Media types, parsed exactly (RFC 9110, section 8.3.1).

Looking for `application/json` somewhere in the header lets `text/plain; x=application/json` through; a second value
behind a comma is a second header that another reader may prefer. One type with its parameters, or none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

import msgspec

_WORD = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_TYPE = re.compile(rf"({_WORD}/{_WORD})[ \t]*")
_PARAMETER = re.compile(rf';[ \t]*(?:({_WORD})=(?:({_WORD})|"((?:[^"\\\x00-\x1f\x7f]|\\[ -~])*)"))?[ \t]*')
_MAX_LENGTH = 256

FORM = "application/x-www-form-urlencoded"


class MediaType(msgspec.Struct, frozen=True, kw_only=True):
    """A media type; `name` and the names of `parameters` are lower case."""

    name: str
    parameters: Mapping[str, str] = {}

    @property
    def is_json(self) -> bool:
        """Tell whether this is JSON in UTF-8: `application/json`, or any type with the suffix `+json` (RFC 6839)."""
        return (self.name == "application/json" or self.name.endswith("+json")) and self.is_utf8

    @property
    def is_utf8(self) -> bool:
        """Tell whether a text of this type is in UTF-8: it says so, or says nothing."""
        return self.parameters.get("charset", "utf-8").lower() in ("utf-8", "utf8")


@lru_cache(maxsize=256)
def media_type(value: str) -> MediaType | None:
    """Return the media type of a `Content-Type` value, `None` where it is no single well-formed one."""
    found = _TYPE.match(value) if len(value) <= _MAX_LENGTH else None
    if found is None:
        return None
    parameters: dict[str, str] = {}
    position = found.end()
    while position < len(value):
        parameter = _PARAMETER.match(value, position)
        if parameter is None or (parameter[1] or "").lower() in parameters:
            return None
        if parameter[1]:
            parameters[parameter[1].lower()] = _unquoted(parameter)
        position = parameter.end()
    return MediaType(name=found[1].lower(), parameters=parameters)


def _unquoted(parameter: re.Match[str]) -> str:
    return parameter[2] if parameter[3] is None else re.sub(r"\\(.)", r"\1", parameter[3])
