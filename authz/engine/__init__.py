"""The way of one check, from its bytes to its answer; pure but for the clocks and stores that are handed in."""

from authz.engine.check import GIVE_UP, HEALTH_SERVICES, NO_BUDGET, Engine
from authz.engine.concluding import conclude, limited, refused
from authz.engine.parts import Call, Limiter, Observer, Parts, Snapshot

__all__ = [
    "GIVE_UP",
    "HEALTH_SERVICES",
    "NO_BUDGET",
    "Call",
    "Engine",
    "Limiter",
    "Observer",
    "Parts",
    "Snapshot",
    "conclude",
    "limited",
    "refused",
]
