"""One record per decision, whatever happens, and none that says too much.

`record` names what may be kept: what is not named stays out. `line` writes it, `recorder` takes lines off the request
path through a bounded queue, `sinks` write them, `chain` links them so that none can be changed unseen. Nothing here
changes an answer.
"""

from authz.audit.chain import START, Chain, Verdict, Wrong, verify
from authz.audit.line import LineWriter, encoded, line_of, record_in
from authz.audit.reads import ReadsForm, ReadsWriter
from authz.audit.record import FORMAT, Record
from authz.audit.recorder import Recorder
from authz.audit.resuming import resumed
from authz.audit.sampling import Sampling, in_share
from authz.audit.sinks import FileSink, Sink, StdoutSink, open_sink
from authz.audit.written import Line

__all__ = [
    "FORMAT",
    "START",
    "Chain",
    "FileSink",
    "Line",
    "LineWriter",
    "ReadsForm",
    "ReadsWriter",
    "Record",
    "Recorder",
    "Sampling",
    "Sink",
    "StdoutSink",
    "Verdict",
    "Wrong",
    "encoded",
    "in_share",
    "line_of",
    "open_sink",
    "record_in",
    "resumed",
    "verify",
]
