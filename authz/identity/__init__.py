"""Who is calling, proved from what Envoy passes on.

A provider finds its credential in a request and turns it into an `Identity`, or refuses it. A credential that is
presented and bad is refused also where an anonymous caller would be let in; two that disagree are refused both.
Nothing here fetches on the request path: key sets come from a file or from a refresher of their own.
"""
