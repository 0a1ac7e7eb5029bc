"""The settings as a page to read and as a JSON Schema for editors, both made from the fields themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from authz.config.loading import load
from authz.config.settings import SETTINGS, Setting, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEAD = """# Settings

Read once at start: a YAML file (`--config`, or `AUTHZ_CONFIG`), then `AUTHZ_*` variables, then flags; the later wins.
In a variable, a list is separated by commas; a flag for a list is repeated. Durations and sizes carry their unit
(`20ms`, `5s`, `10m`; `64KiB`, `4MiB`). `authz serve --print-settings` shows what is in force and where it came from.
Written by `authz schema settings --output markdown`.
"""


def reference() -> str:
    """Return the reference of all settings in Markdown."""
    sections = dict.fromkeys(name.rpartition(".")[0] for name in SETTINGS)
    return "\n".join([_HEAD, *("\n".join(_section(section)) for section in sections)])


def schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a settings file."""
    # In the mode "serialization" defaults are written as in a file: `20ms`, not `0.02`.
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Settings.model_json_schema(mode="serialization"),
    }


def _section(section: str) -> Iterator[str]:
    about = Settings.model_fields[section].description if section else "The process."
    yield f"## {section or 'Top level'}\n\n{about}\n"
    yield "| file | variable | flag | default | |\n|---|---|---|---|---|"
    for name, default, _ in load(environment={}, flags={}).rows():
        if name.rpartition(".")[0] == section:
            yield _row(SETTINGS[name], default)
    yield ""


def _row(setting: Setting, default: str) -> str:
    allowed = f" One of {', '.join(f'`{one}`' for one in setting.choices)}." if setting.choices else ""
    return f"| `{setting.name}` | `{setting.variable}` | `{setting.flag}` | `{default}` | {setting.about}{allowed} |"
