"""The admin port: what probes, Prometheus and people ask. It reads and never changes a decision.

Loopback unless told otherwise. No page here evaluates an expression that a visitor sends.
"""

from authz.console.app import State, application
from authz.console.serving import AdminServer

__all__ = ["AdminServer", "State", "application"]
