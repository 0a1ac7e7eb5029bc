"""Generated protobuf code; the sources are in `protos/`, `make protos` writes this folder.

The lowest layer, rather than a part of `wire`: the CEL vocabulary is typed from these messages too, and `cel`
may not look up to `wire`.
"""
