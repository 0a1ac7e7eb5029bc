"""`authz init`: something that works, to start from, and what editors, hooks and pipelines need around it.

What is written is in `files`, but for the schemas, which are made. It is checked by a test with the verbs it names.
"""
