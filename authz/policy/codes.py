"""The faults a policy can have: a stable code for each class, and what to do about it.

A code never changes its meaning and is never used again for another. AZ0xx is about files and YAML, AZ1xx about
documents and their keys, AZ2xx about what only shows when everything is compiled together.
"""

from __future__ import annotations

from enum import StrEnum


class Code(StrEnum):
    """The code of a fault."""

    ENCODING = "AZ001"
    SYNTAX = "AZ002"
    SIZE = "AZ003"
    DUPLICATE_KEY = "AZ004"
    ALIAS = "AZ005"
    TAG = "AZ006"
    KEY = "AZ007"
    AMBIGUOUS = "AZ008"
    EMPTY = "AZ009"
    API_VERSION = "AZ101"
    KIND = "AZ102"
    UNKNOWN_KEY = "AZ103"
    MISSING_KEY = "AZ104"
    TYPE = "AZ105"
    CHOICE = "AZ106"
    RANGE = "AZ107"
    NAME = "AZ108"
    NAME_TAKEN = "AZ109"
    TOGETHER = "AZ110"
    HEADER = "AZ111"
    PATH = "AZ112"
    HOST = "AZ113"
    METHOD = "AZ114"
    RATE = "AZ115"
    DURATION = "AZ116"
    NETWORK = "AZ117"
    FILE = "AZ118"
    MEDIA_TYPE = "AZ119"
    LOCATION = "AZ120"
    GUARDRAIL = "AZ122"
    UNAVAILABLE = "AZ121"
