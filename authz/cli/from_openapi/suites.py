"""The tests of a policy: who may call each operation, who may not, and a parameter that nobody describes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from authz.cli.from_openapi.grouping import Group
    from authz.cli.from_openapi.proving import Providers
    from authz.cli.from_openapi.samples import Sampler
    from authz.content.openapi.operations import Operation


def suite(group: Group, proving: Providers, sampler: Sampler) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the tests of a group, and the operations that no request could be made for."""
    made = {name: sampler.request(operation) for name, operation in group.operations}
    requests = {name: request for name, request in made.items() if request is not None}
    callers = _callers(group, proving)
    cases = [
        case
        for name, operation in group.operations
        if name in requests
        for case in _cases(group.name, name, operation, callers, proving)
    ]
    first = next(iter(requests), None)
    if first is not None:
        cases.append(_undescribed(first, requests[first], group, proving))
    spec: dict[str, Any] = {"identities": callers, "requests": requests, "cases": cases}
    document = {
        "apiVersion": "authz/v1", "kind": "PolicyTest", "metadata": {"name": group.name},
        "spec": {key: value for key, value in spec.items() if value},
    }  # fmt: skip
    return document, tuple(name for name, request in made.items() if request is None)


def _callers(group: Group, proving: Providers) -> dict[str, dict[str, Any]]:
    """Return a caller for each provider with all that operations of the group ask for, and one with nothing."""
    asked: dict[str, set[str]] = {}
    for _, operation in group.operations:
        for alternative in operation.security:
            for demand in alternative:
                asked.setdefault(proving.names[demand.scheme.name], set()).update(demand.scopes)
    callers: dict[str, dict[str, Any]] = {}
    for provider, scopes in sorted(asked.items()):
        callers[f"{provider}-caller"] = _caller(provider, sorted(scopes))
        if scopes:
            callers[f"{provider}-stranger"] = _caller(provider, [])
    return callers


def _caller(provider: str, scopes: Sequence[str]) -> dict[str, Any]:
    return {"provider": provider, "subject": "someone", **({"scopes": list(scopes)} if scopes else {})}


def _cases(
    policy: str, name: str, operation: Operation, callers: Mapping[str, Any], proving: Providers
) -> list[dict[str, Any]]:
    """Return the cases of one operation."""
    rule = {"decision": "allow", "rule": f"{policy}/{name}"}
    caller = _who(operation, proving)
    if caller is None:
        return [{"name": f"anyone calls {name}", "request": name, "expect": rule}]
    cases: list[dict[str, Any]] = [
        {"name": f"{caller}-caller calls {name}", "request": name, "as": f"{caller}-caller", "expect": rule},
        {"name": f"nobody calls {name}", "request": name, "expect": "unauthenticated"},
    ]
    stranger = f"{caller}-stranger"
    if stranger in callers and all(_asks(each) for each in operation.security):
        cases.append(
            {"name": f"{stranger} lacks what {name} asks for", "request": name, "as": stranger, "expect": "no_rule"}
        )
    return cases


def _asks(alternative: Sequence[Any]) -> bool:
    return any(demand.scopes for demand in alternative)


def _who(operation: Operation, proving: Providers) -> str | None:
    """Return a provider whose caller may call an operation, `None` where anyone may."""
    if not operation.security or () in operation.security:
        return None
    return proving.names[operation.security[0][0].scheme.name]


def _undescribed(name: str, request: Mapping[str, Any], group: Group, proving: Providers) -> dict[str, Any]:
    """Return the case of a query parameter that no operation speaks of."""
    operation = dict(group.operations)[name]
    caller = _who(operation, proving)
    joint = "&" if "?" in str(request["url"]) else "?"
    asked = {"like": name, "url": f"{request['url']}{joint}nobody-describes-this=1"}
    who = {} if caller is None else {"as": f"{caller}-caller"}
    return {"name": "a parameter that nobody describes is refused", "request": asked, **who, "expect": "invalid_body"}
