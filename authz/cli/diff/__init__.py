"""`authz diff`: what changed in meaning between two states of policies, not which lines.

`sources` reads both (a commit, or a folder), `parts` compares what documents say, `asking` has both answer what tests
ask, `report` shows it; records are decided by both as `authz replay` decides them. `command` joins them.
"""
