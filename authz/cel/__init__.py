"""The only door to CEL: declare variables, compile an expression, evaluate it.

Three-valued and closed: an expression holds, does not hold, or has no value, and the last is never the second. What
an expression may read is typed (`vocabulary`), what it may call is listed (`functions`), and everything that is wrong
with it is found when it is loaded (`checks`). The engines (`engine`) are met nowhere else.
"""

from authz.cel.engine import Activation, EngineName
from authz.cel.environment import Environment, Expression
from authz.cel.faults import Code, CompileError, CompileFault
from authz.cel.indexes import Constant, StringSet
from authz.cel.networks import NetworkIndex
from authz.cel.parts import Part
from authz.cel.reads import Attribute
from authz.cel.secrets import Secret
from authz.cel.tracing import Trace, Tracer
from authz.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    NETWORK_SET,
    SECRET,
    STRING,
    STRING_MAP,
    STRING_SET,
    TIMESTAMP,
    CelType,
    Kind,
    list_of,
    map_of,
    message,
)
from authz.cel.values import EvaluationError
from authz.cel.vocabulary import VARIABLES

__all__ = [
    "BOOL",
    "BYTES",
    "DOUBLE",
    "DURATION",
    "DYN",
    "INT",
    "NETWORK_SET",
    "SECRET",
    "STRING",
    "STRING_MAP",
    "STRING_SET",
    "TIMESTAMP",
    "VARIABLES",
    "Activation",
    "Attribute",
    "CelType",
    "Code",
    "CompileError",
    "CompileFault",
    "Constant",
    "EngineName",
    "Environment",
    "EvaluationError",
    "Expression",
    "Kind",
    "NetworkIndex",
    "Part",
    "Secret",
    "StringSet",
    "Trace",
    "Tracer",
    "list_of",
    "map_of",
    "message",
]
