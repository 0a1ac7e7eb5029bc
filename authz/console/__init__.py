"""The admin port: what probes, Prometheus and people ask. It reads and never changes a decision.

Loopback unless told otherwise. No page here evaluates an expression that a visitor sends. `app` has the pages,
`serving` their server, `tail`, `watching` and `stream` the live decisions, `denied` and `frequent` who is denied most,
`workers` and `joined` what several processes say together, `static` what browsers get.
"""

from authz.console.app import State, application
from authz.console.denied import Denied
from authz.console.serving import AdminServer
from authz.console.tail import Tail
from authz.console.workers import Workers

__all__ = ["AdminServer", "Denied", "State", "Tail", "Workers", "application"]
