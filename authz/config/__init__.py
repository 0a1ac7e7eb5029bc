"""Settings of the process: what can be set, where a value came from, and every fault at once.

`settings` has every setting with its default, unit and one line of documentation, `names` what each is called where;
`values` reads the texts they are written as; `sources` gathers those texts from a file, the environment and the command
line; `loading` lays one source over the other. Read once, before anything else exists. What governs requests is a
policy, never a setting.
"""

from authz.config.loading import Loaded, load
from authz.config.settings import Settings

__all__ = ["Loaded", "Settings", "load"]
