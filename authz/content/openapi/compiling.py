"""A description, compiled: every operation with what its requests must be, found by method and path.

Everything that is wrong is raised at once, as `ApiError`. Nothing is read or compiled while requests come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz import paths
from authz.content.openapi.bodies import Body
from authz.content.openapi.call import Call, Prepared
from authz.content.openapi.document import ApiError, Read
from authz.content.openapi.operations import described, segments
from authz.content.openapi.parameters import Parameter
from authz.content.openapi.routing import Routes, Segment, Taken, TemplateError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from authz.content.openapi.operations import Description, Operation
    from authz.content.schema import Validator
    from authz.model import Request


Demands = tuple[tuple[str, tuple[frozenset[str], ...]], ...]


class Api:
    """The operations of an API.

    `headers` are those it looks at. `demands` says for each operation that asks who is calling (`GET /orders`) which
    security schemes it takes: alternatives, all of whose schemes are needed.
    """

    def __init__(self, routes: Routes[dict[str, Prepared]], headers: frozenset[str], demands: Demands) -> None:
        self._routes = routes
        self.headers = headers
        self.demands = demands

    def find(self, request: Request) -> Call | None:
        """Return the operation that a request calls, `None` where the API describes none."""
        cut = tuple(map(paths.decoded, paths.segments(request.path)))
        found = self._routes.find(cut)
        operation = None if found is None else found[0].get(request.method)
        return None if found is None or operation is None else Call(request, operation, found[1])


def compile_api(root: object, read: Read, *, unchecked: frozenset[str] = frozenset()) -> Api:
    """Return the API that an OpenAPI document describes; raise `ApiError` with everything that is wrong with it.

    `read` gives what another file says, by its path from the document; bodies of `unchecked` media types are taken
    unread although the document describes their content.
    """
    found = described(root, read, unchecked)
    validators = found.schemas.validators()
    flaws = found.document.flaws
    routes: Routes[dict[str, Prepared]] = Routes()
    if not flaws:
        _route(found, validators, routes)
    if flaws:
        raise ApiError(flaws)
    return Api(routes, _headers(found), tuple(map(_demand, filter(_is_secured, found.operations))))


def _is_secured(operation: Operation) -> bool:
    return bool(operation.security) and () not in operation.security


def _demand(operation: Operation) -> tuple[str, tuple[frozenset[str], ...]]:
    alternatives = tuple(frozenset(demand.scheme.name for demand in each) for each in operation.security)
    return f"{operation.method} {operation.template}", alternatives


def _headers(found: Description) -> frozenset[str]:
    """Return the headers that are looked at."""
    described_ = {
        each.name for operation in found.operations for each in operation.parameters if each.place == "header"
    }
    cookies = any(each.place == "cookie" for operation in found.operations for each in operation.parameters)
    keys = {"cookie" if scheme.place == "cookie" else scheme.key for scheme in found.schemes.values()}
    more = {"content-type"} | ({"cookie"} if cookies else set())
    return frozenset(name for name in described_ | keys | more if name)


def _route(found: Description, validators: Mapping[str, Validator], routes: Routes[dict[str, Prepared]]) -> None:
    """Put every operation behind its path; the methods of a path stand behind it together."""
    bundle = found.schemas.bundle
    methods: dict[tuple[tuple[str, ...], str], dict[str, Prepared]] = {}
    for operation in found.operations:
        prepared = _prepared(operation, bundle, validators)
        for base in operation.bases:
            known = methods.setdefault((base, operation.template), {})
            if not known:
                _add(operation, base, known, routes)
            known[operation.method] = prepared


def _add(
    operation: Operation, base: tuple[str, ...], methods: dict[str, Prepared], routes: Routes[dict[str, Prepared]]
) -> None:
    try:
        routes.add([*map(Segment, base), *segments(operation.template)], methods)
    except (Taken, TemplateError) as error:
        operation.node.flaw(str(error) or "another path is the same but for the names of its parameters")


def _prepared(operation: Operation, bundle: dict[str, Any], validators: Mapping[str, Validator]) -> Prepared:
    parameters = tuple(Parameter(each, bundle, validators[each.schema]) for each in operation.parameters)
    return Prepared(
        parameters=parameters,
        body=None if operation.body is None else Body(operation.body, bundle, validators),
        security=operation.security,
        takes_any_query=any(each.is_map and each.written.place == "query" for each in parameters),
    )
