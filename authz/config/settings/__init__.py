"""Every setting: its name, default, unit and one line about it.

The field is the setting: `redis.timeout` in the file, and from that its variable, its flag (`authz.config.names`) and
its row in the reference. One section per part of the service, in a module by what operators set together: `policies`,
`callers`, `limits`, `records`; what belongs to the `process` stands at the top. Values that have a unit carry it
(`20ms`, `4MiB`). To add a setting, add a field; nothing else lists them.
"""

from authz.config.settings.callers import ClientSettings, GeoipSettings, IdentitySettings, SigningSettings, TlsSettings
from authz.config.settings.limits import LimitsSettings, RedisSettings
from authz.config.settings.policies import CandidateSettings, ReloadSettings
from authz.config.settings.process import CheckSettings, Settings
from authz.config.settings.records import OtlpSettings, RecordSettings

__all__ = [
    "CandidateSettings",
    "CheckSettings",
    "ClientSettings",
    "GeoipSettings",
    "IdentitySettings",
    "LimitsSettings",
    "OtlpSettings",
    "RecordSettings",
    "RedisSettings",
    "ReloadSettings",
    "Settings",
    "SigningSettings",
    "TlsSettings",
]
