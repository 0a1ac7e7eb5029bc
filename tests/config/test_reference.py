"""What people and editors read about settings."""

import jsonschema
import pytest
import yaml

from authz.config.names import SETTINGS
from authz.config.reference import reference, schema


@pytest.mark.parametrize("name", SETTINGS)
def test_the_reference_names_every_setting(name: str) -> None:
    """A setting, its variable and its flag are in one row of the reference."""
    setting = SETTINGS[name]
    assert f"| `{name}` | `{setting.variable}` | `{setting.flag}` |" in reference()


def test_the_schema_is_one() -> None:
    """What `authz schema settings` prints is a JSON Schema."""
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize(
    ("content", "valid"),
    [
        ("redis: {url: 'redis://h', timeout: 20ms}\nworkers: 2\nlisten: ['unix:///a']", True),
        ("redis: {timeout: 20}", False),
        ("transport: fats", False),
        ("workres: 2", False),
    ],
)
def test_the_schema_says_what_the_loader_says(content: str, valid: bool) -> None:
    """An editor marks what the service would refuse."""
    assert jsonschema.Draft202012Validator(schema()).is_valid(yaml.safe_load(content)) is valid


def test_every_key_has_a_sentence_and_an_example_that_fits() -> None:
    """What an editor shows; a setting whose default says nothing has an example in `reference._EXAMPLES`."""
    made = schema()
    parts = [made, *made["$defs"].values()]
    for name, told in [pair for part in parts for pair in part.get("properties", {}).items()]:
        assert told["description"].endswith("."), name
        for example in told["examples"]:
            assert example not in (None, [], ""), name
            jsonschema.Draft202012Validator(told | {"$defs": made["$defs"]}).validate(example)
