"""`authz doctor`: what is wrong with an installation that runs, a line each, with the remedy.

`telling` judges what a service says of itself; pure. `around` looks at what is beside it: Redis, sockets, clocks,
Envoy's configuration. `command` joins them.
"""
