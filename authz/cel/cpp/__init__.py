"""The C++ engine, `cel-expr-python`: the one that decides."""
