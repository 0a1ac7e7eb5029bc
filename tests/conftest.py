"""What every test shares: nothing but the settings of hypothesis."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("authz", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("authz")
