"""`authz replay`: recorded decisions made again by other policies, and what came out otherwise.

`deciding` makes decisions again, `tally` counts what changed, `running` spreads the work, `report` shows it; `command`
joins them. Each loads on its own, for workers are processes.
"""
