"""One record per decision, whatever happens, and none that says too much.

`record` turns an outcome into a record by naming what may be in it: what is not named stays out. `recorder`
takes records off the request path through a bounded queue; `sinks` write lines. Nothing here changes an answer.
"""

from authz.audit.reads import ReadsForm, ReadsWriter
from authz.audit.record import FORMAT, Record, line_of, record_of
from authz.audit.recorder import Recorder, Sampling
from authz.audit.sinks import FileSink, Sink, StdoutSink, open_sink

__all__ = [
    "FORMAT",
    "FileSink",
    "ReadsForm",
    "ReadsWriter",
    "Record",
    "Recorder",
    "Sampling",
    "Sink",
    "StdoutSink",
    "line_of",
    "open_sink",
    "record_of",
]
