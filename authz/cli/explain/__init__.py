"""`authz explain`: why a request is answered as it is, typed in or on record.

`command` finds what to explain, `finding` a record by its decision id, `tree` shows an explanation to people.
"""
