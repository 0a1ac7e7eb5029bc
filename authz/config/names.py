"""What every setting is called: `redis.timeout` in a file, `AUTHZ_REDIS_TIMEOUT`, `--redis-timeout`.

Made from the fields in `authz.config.settings`, so that no list of them is kept anywhere. What a setting may hold is
not said here.
"""

from __future__ import annotations

from typing import Literal, get_args, get_origin

import msgspec
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from authz.config.settings import Settings


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One setting as it is written: `name` in the file, `variable` in the environment, `flag` on the command line.

    `many` settings are lists; `choices` names the values where they are a closed set; a `switch` is on or off.
    """

    name: str
    variable: str
    flag: str
    about: str
    many: bool
    choices: tuple[str, ...] = ()
    switch: bool = False


_SHORT_FLAGS = {
    "admin_hosts": "--admin-host",
    "redis.url": "--redis",
    "reload.require_tests": "--require-tests",
    "reload.verify_keys": "--verify-key",
    "candidate.policies": "--candidate",
}


def _settings(section: type[BaseModel], prefix: str = "") -> dict[str, Setting]:
    found: dict[str, Setting] = {}
    for key, field in section.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found |= _settings(field.annotation, f"{key}.")
        else:
            found[prefix + key] = _setting(prefix + key, field)
    return found


def _setting(name: str, field: FieldInfo) -> Setting:
    words = name.replace(".", "_")
    return Setting(
        name=name,
        variable=f"AUTHZ_{words.upper()}",
        flag=_SHORT_FLAGS.get(name) or f"--{words.replace('_', '-')}",
        about=field.description or "",
        many=get_origin(field.annotation) is tuple,
        choices=get_args(field.annotation) if get_origin(field.annotation) is Literal else (),
        switch=field.annotation is bool,
    )


SETTINGS = _settings(Settings)
"""Every setting by its name in the file, in the order of the reference."""

SECTIONS = frozenset(name.partition(".")[0] for name in SETTINGS if "." in name)
