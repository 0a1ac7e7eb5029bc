"""The decision tables: documents, a request, what is known of the caller, and the decision that must come of it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from authz.content import SchemaValidators
from authz.model import Charge, Decision, HeaderMutation, Mode
from authz.policy import Compiler, PolicySet, Selection

TABLES: dict[str, dict[str, Any]] = {
    table.stem: yaml.safe_load(table.read_text()) for table in sorted((Path(__file__).parent / "decisions").glob("*"))
}
CASES = [
    pytest.param(stem, case, id=f"{stem}: {case['name']}") for stem, table in TABLES.items() for case in table["cases"]
]


@pytest.fixture(scope="module", name="served")
def _served() -> Callable[[str], PolicySet]:
    """Return the policies of a table, compiled once, every document from a file of its own."""

    @cache
    def served(stem: str) -> PolicySet:
        table = TABLES[stem]
        files = {f"{number}.yaml": text for number, text in enumerate(table["documents"].split("---\n"))}
        files |= table.get("files", {})
        compiler = Compiler(validators=SchemaValidators(), providers=("staff", "partner"))
        return compiler.compile({name: text.encode() for name, text in files.items()})

    return served


def _charge(charge: Charge, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return a charge in the words of a table, as far as the table asks."""
    limit = charge.limit
    words = {
        "limit": limit.name, "key": list(charge.key), "cost": charge.cost, "mode": limit.mode.value,
        "requests": limit.requests, "period": limit.period, "burst": limit.burst,
        "algorithm": limit.algorithm.value, "on_error": limit.on_error.value,
    }  # fmt: skip
    return {name: words[name] for name in wanted}


def _headers(mutations: tuple[HeaderMutation, ...]) -> dict[str, str]:
    """Return headers by name; a value that is added begins with a plus."""
    found: dict[str, list[str]] = {}
    for header in mutations:
        found.setdefault(header.name, []).append(("+" if header.append else "") + header.value)
    return {name: ",".join(values) for name, values in found.items()}


def _said(decision: Decision, early: tuple[Charge, ...], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return a decision in the words of a table."""
    mutations = decision.mutations
    own = [trace for trace in decision.documents if not _is_rule_in_shadow(trace, decision)]
    return {
        "effect": decision.effect.value,
        "reason": decision.reason.value,
        "status": decision.status,
        "policy": decision.policy,
        "rule": decision.rule,
        "message": decision.message,
        "location": decision.location,
        "body": decision.body,
        "errors": [error.rule for error in decision.errors],
        "unmet": [f"{each.part} {each.pointer} {each.keyword}" for each in decision.unmet],
        "documents": {trace.name: str(trace.outcome) for trace in own},
        "rules": {trace.name: trace.rule for trace in own},
        "would": [
            f"{trace.name}/{trace.rule} {trace.outcome}"
            for trace in decision.documents
            if _is_rule_in_shadow(trace, decision)
        ],
        "charges": _charges(decision.charges, wanted.get("charges", [])),
        "early": _charges(early, wanted.get("early", [])),
        "request_headers": _headers(mutations.request_headers),
        "request_headers_remove": list(mutations.request_headers_remove),
        "response_headers": _headers(mutations.response_headers),
        "query_set": dict(mutations.query_set),
        "query_remove": list(mutations.query_remove),
        "metadata": dict(mutations.metadata),
    }


def _is_rule_in_shadow(trace: Any, decision: Decision) -> bool:
    first = next(other for other in decision.documents if (other.name, other.kind) == (trace.name, trace.kind))
    return trace.mode is Mode.SHADOW and first is not trace


def _charges(charges: tuple[Charge, ...], wanted: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    names = [list(want) for want in wanted] + [["limit"]] * len(charges)
    return [_charge(charge, dict.fromkeys(names[number])) for number, charge in enumerate(charges)]


def _decided(policies: PolicySet, case: Mapping[str, Any], make: Any) -> tuple[Selection, tuple[Charge, ...], Decision]:
    """Select, look at early charges and decide, as the engine does."""
    request = make.request(case["request"])
    facts = make.facts(request, case.get("identity"), case.get("client_ip", "203.0.113.9"))
    selection = policies.select(request)
    return selection, selection.early_charges(facts), selection.decide(facts)


@pytest.mark.parametrize(("stem", "case"), CASES)
def test_decision(stem: str, case: Mapping[str, Any], served: Callable[[str], PolicySet], make: Any) -> None:
    """Every case of every table gets the decision that is written there, whether limits were asked early or not."""
    policies = served(stem)
    selection, early, decision = _decided(policies, case, make)
    wanted = dict(case["expect"])
    said = _said(decision, early, wanted) | {
        "providers": list(selection.providers),
        "identity_required": selection.identity_required,
    }
    assert {name: said[name] for name in wanted} == wanted
    facts = make.facts(make.request(case["request"]), case.get("identity"), case.get("client_ip", "203.0.113.9"))
    assert policies.select(facts.request).decide(facts) == decision


@pytest.mark.parametrize("stem", TABLES)
def test_order_of_files_never_changes_an_answer(
    stem: str, served: Callable[[str], PolicySet], compiler: Compiler, make: Any
) -> None:
    """C20: whatever files documents are in, and in whatever order they come, every case is decided the same."""
    table = TABLES[stem]
    wanted = [_decided(served(stem), case, make)[1:] for case in table["cases"]]
    for seed in range(3):
        documents = table["documents"].split("---\n")
        random.Random(seed).shuffle(documents)
        half = len(documents) // 2
        parts = {"b.yaml": "---\n".join(documents[:half]), "a/c.yaml": "---\n".join(documents[half:])}
        files = {name: text for name, text in parts.items() if text}
        for name, text in table.get("files", {}).items():
            files |= {name: text, f"a/{name}": text}
        policies = compiler.compile({name: text.encode() for name, text in files.items()})
        assert [_decided(policies, case, make)[1:] for case in table["cases"]] == wanted


def test_there_is_a_case_for_every_step() -> None:
    """The tables hold at least sixty cases, and some for each step of POLICY.md, section 3."""
    assert len(CASES) >= 60
    assert {stem[:6] for stem in TABLES if stem.startswith("step")} == {f"step_{number}" for number in range(1, 9)}
