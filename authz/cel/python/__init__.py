"""The Python engine: `cel-python`'s grammar, and a walk over the standard tree. The second opinion.

`cel-python` 0.5 parses CEL well. Its two evaluators do not answer well enough to decide on: `true == 1` is true,
`1.0 == 1` an error, `l[-1]` the last element, `has(a.missing.b)` false, `claims.x && true` the text in `claims.x`,
`duration("aaaa!")` takes exponential time, and an error in a list of results is a member of the list. So its grammar
is kept and its evaluation is not: `lowering` turns its parse into the tree that both engines share, `program` walks
that tree, `library` holds the operators and functions by the letter of the specification. Where this engine cannot
tell (nanoseconds, a few functions) it says so, as an error that is marked `unsupported`; it never guesses.

It knows the types of variables, but it is no type checker: where types do not fit, an expression is an error when it
is evaluated and not when it is loaded.
"""
