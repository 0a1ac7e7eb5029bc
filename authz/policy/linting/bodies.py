"""Documents that read bodies without a bound."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.policy.linting.codes import Lint
from authz.policy.linting.looking import warned

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from authz.errors import Fault
    from authz.policy.documents import Guardrail, Policy
    from authz.policy.linting.looking import Looked

_BODIES = frozenset({"request.body", "request.json", "request.mcp", "request.graphql", "request.grpc_message"})


def odd(document: Policy | Guardrail, looked_at: Iterable[Looked]) -> Iterator[Fault]:
    """Yield a warning where expressions read bodies and no validation bounds them."""
    if any(each.max_bytes is not None for each in document.spec.validations):
        return
    for looked in looked_at:
        for name in sorted(_BODIES & looked.expression.variables):
            part = next((one for one in looked.whole.walk() if one.text == name), looked.whole)
            message = f"{name} is read, and nothing says how long a body may be"
            yield looked.warned(part, Lint.UNBOUNDED_BODY, message, _HINT)
            return
    for each in document.spec.validations:
        if each.body_schema is not None:
            message = f'validation "{each.name}" reads bodies, and nothing says how long one may be'
            yield warned(each.name, Lint.UNBOUNDED_BODY, message, _HINT)
            return


_HINT = "write validate: [{name: size, max_bytes: 65536}]"
