"""Policy-as-code access decisions for APIs behind Envoy.

A request crosses the packages in this order: `transport` takes the bytes, `wire` reads one canonical
`Request`, `identity` names the caller, `policy` decides, `limits` charges, `engine` concludes, `wire`
writes the answer. `audit` and `telemetry` watch. Nothing here imports anything: import what you use.
"""

__version__ = "0.1.0"
