"""The faults that only show when documents are compiled together (AZ2xx; `codes` has those of files and keys)."""

from __future__ import annotations

from enum import StrEnum


class Together(StrEnum):
    """The code of a fault between expressions, documents and the files beside them."""

    CYCLE = "AZ201"
    TEMPLATE = "AZ202"
    PROVIDER = "AZ203"
    SCHEMA = "AZ204"
    DATA = "AZ205"
    PROOF = "AZ206"
    PAGE = "AZ207"
    API = "AZ208"
    DESCRIPTORS = "AZ209"
