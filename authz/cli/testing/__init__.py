"""`authz test`: which files there are, how they are run, and what is said of it.

`files` finds tests and the policies they are about, `running` runs them (in processes, where that pays), `showing` is
for people and `forms` for programs; `plugin` has pytest collect the same files. What a test means is `authz.testing`.
"""
