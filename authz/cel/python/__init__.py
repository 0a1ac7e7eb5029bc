"""The Python engine: `cel-python`'s grammar, and the walker. The second opinion.

`cel-python` 0.5 parses CEL well. Its two evaluators do not answer well enough to decide on: `true == 1` is true,
`1.0 == 1` an error, `l[-1]` the last element, `has(a.missing.b)` false, `claims.x && true` the text in `claims.x`,
`duration("aaaa!")` takes exponential time, and an error in a list of results is a member of the list. So its grammar
is kept and its evaluation is not: `lowering` turns its parse into the tree that both engines share, and the walker runs
it.

This engine knows the types of variables, literals and most functions. What they do not tell is found out when an
expression is evaluated and not when it is loaded.
"""
