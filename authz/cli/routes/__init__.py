"""`authz routes`: what is exposed, how it is protected, who tests it, who changed it last, who calls it.

`gathering` joins what policies say (`policy.exposure`) with `tested`, `traffic`, `history` and, where an API is
described, `drift`; `report` and `page` show it. `command` joins them and loads each only when it is needed.
"""
