"""Envoy's side of the bargain: the configuration that fits settings and policies, and what is wrong with one.

`fitting` is what a configuration has to say in numbers and names; `listener`, `filter` and `clusters` say it as
Envoy's own typed messages (the extra `envoy`), `generating` joins them and `writing` makes YAML of them. The other way,
`reading` keeps the place of every value in a file, `parts` finds what Envoy would run, and `checking` tells what lets
requests in, or breaks; that way needs no extra.
"""
