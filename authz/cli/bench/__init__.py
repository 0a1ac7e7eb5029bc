"""`authz bench`: how fast an installation answers, beside a server that does nothing, asked by the same client.

`asking` is the client, `noop` the server that does nothing, `command` has both asked in turns. Figures of one run are
comparable with each other and with nothing else: what counts is how the service compares with the no-op.
"""
