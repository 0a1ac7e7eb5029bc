"""A checked tree, walked in Python: by the letter of the language definition, with a budget for what it costs.

Two engines run what they check with this: the Python one always, and the C++ one where it would leak or take time out
of proportion (`cpp.division`). `program` makes functions of nodes, `operators` and `library` say what is done to
values, `containers` how they are looked into. Where the walker cannot tell (nanoseconds) it says so, and never guesses.
"""
