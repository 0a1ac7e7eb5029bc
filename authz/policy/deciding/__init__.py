"""One request, decided: the way from the plan of the documents that govern it to the decision and why.

`places` and `plan` say what is asked and in which order, `steps` asks (POLICY.md, section 3), `case` and `evaluation`
are one request before the plan, `answers` is what comes of it. `memo` finds a decision that was made before; `shadow`
watches what would have been said; `recorded` decides again from a record.
"""
