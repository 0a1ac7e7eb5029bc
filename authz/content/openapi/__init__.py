"""OpenAPI 3.0 and 3.1: a description of an API, compiled once, that every request to the API must fit.

`document` walks what is written and knows the place of everything, `schemas` turns its schemas into JSON Schema
2020-12, `parameters`, `bodies`, `security`, `servers` and `operations` read the objects of those names, `routing` finds
the operation of a request, and `call` holds a request against it. What cannot be checked here is refused at load, with
its place: nothing that the description demands is left out in silence.
"""

from authz.content.openapi.call import Call
from authz.content.openapi.compiling import Api, compile_api
from authz.content.openapi.document import ApiError, Flaw

__all__ = ["Api", "ApiError", "Call", "Flaw", "compile_api"]
