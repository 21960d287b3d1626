"""Results as people look at them: what failed first, then model by model with its tests."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

from pipelines.build_results.attempts import BuildAttempt
from pipelines.build_results.nodes import NodeResult

_TOLD = 20
"""Failures that the compact form names."""
_LAYERS = ("source", "staging", "intermediate", "marts")


@dataclass(frozen=True)
class Totals:
    """How many nodes of each kind there were, and how they ended."""

    models: int
    tests: int
    unit_tests: int
    failed: int
    warned: int
    skipped: int


@dataclass(frozen=True)
class ModelResult:
    """One model (or source table) with everything that tests it.

    ``node`` is None where only its tests ran, as for a source.
    """

    name: str
    layer: str
    node: NodeResult | None
    tests: tuple[NodeResult, ...]

    @property
    def status(self) -> str:
        """The worst of the model and its tests: failed, skipped, warn or passed."""
        if any(node.failed for node in self._nodes):
            return "failed"
        if self.node is not None and self.node.skipped:
            return "skipped"
        if any(node.status == "warn" for node in self._nodes):
            return "warn"
        return "passed"

    @property
    def failed_tests(self) -> tuple[NodeResult, ...]:
        """The tests that failed."""
        return tuple(test for test in self.tests if test.failed)

    @property
    def seconds(self) -> float:
        """How long it and its tests took together."""
        return sum(node.seconds for node in self._nodes)

    @property
    def _nodes(self) -> tuple[NodeResult, ...]:
        return (*((self.node,) if self.node else ()), *self.tests)


def totals(nodes: Iterable[NodeResult]) -> Totals:
    """Count nodes by kind and end."""
    nodes = tuple(nodes)
    return Totals(
        models=sum(node.kind == "model" for node in nodes),
        tests=sum(node.kind == "test" for node in nodes),
        unit_tests=sum(node.kind == "unit_test" for node in nodes),
        failed=sum(node.failed for node in nodes),
        warned=sum(node.status == "warn" for node in nodes),
        skipped=sum(node.skipped for node in nodes),
    )


def by_model(nodes: Iterable[NodeResult]) -> list[ModelResult]:
    """Group nodes by model: failed ones first, skipped next, then by layer and name."""
    ordered = sorted(nodes, key=lambda node: (_place(node.layer), node.layer, node.model))
    models = [
        _model(name, layer, tuple(group))
        for (layer, name), group in groupby(ordered, key=lambda node: (node.layer, node.model))
    ]
    urgency = {"failed": 0, "warn": 1, "skipped": 2, "passed": 3}
    return sorted(models, key=lambda model: urgency[model.status])


def compact(attempt: BuildAttempt) -> dict[str, Any]:
    """Return a build's results in few plain values, for places that show JSON."""
    failed = [node for node in attempt.nodes if node.failed]
    return {
        "session": attempt.session_date.isoformat(),
        "build": attempt.build,
        "status": "passed" if attempt.passed else "failed",
        "seconds": round(attempt.seconds, 1),
        **asdict(totals(attempt.nodes)),
        "failures": [
            {"name": node.name, "model": node.model, "reason": node.reason}
            for node in failed[:_TOLD]
        ],
        "rows": {
            node.name: node.rows
            for node in attempt.nodes
            if node.layer == "marts" and node.rows is not None
        },
    }


def _model(name: str, layer: str, nodes: tuple[NodeResult, ...]) -> ModelResult:
    node = next((node for node in nodes if node.kind == "model"), None)
    tests = [node for node in nodes if node.kind != "model"]
    tests.sort(key=lambda test: (not test.failed, test.status != "warn", test.kind, test.name))
    return ModelResult(name, layer, node, tuple(tests))


def _place(layer: str) -> int:
    return _LAYERS.index(layer) if layer in _LAYERS else len(_LAYERS)
