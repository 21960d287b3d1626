"""What the rooms of ml need of each other and of others, and what naming them costs a process."""

import ast
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

ML = Path(__file__).parents[2] / "ml"

HEAVY = ("tensorflow", "keras", "mlflow", "lightgbm", "optuna", "sklearn", "matplotlib", "numba")

ENTRIES = (
    "ml.training.train",
    "ml.training.report",
    "ml.choice.champion",
    "ml.panel.reading",
    "ml.serving",
    "ml.forecasters.lstm.forecaster",
    "ml.forecasters.gradient_boosting",
)

NOT_FOR_ML = {"pipelines", "dags", "plugins", "expectations", "airflow", "duckdb"}


def imported_by(path: Path) -> Iterator[str]:
    """Modules that a file imports, at its top or in a function."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (each.name for each in node.names)


def room_of(module: str) -> str:
    """The package or single module of ml that a module is in."""
    return module.split(".")[1]


def test_ml_knows_neither_pipelines_nor_databases_and_only_tracking_knows_mlflow() -> None:
    for path in ML.rglob("*.py"):
        tops = {module.partition(".")[0] for module in imported_by(path)}
        assert tops.isdisjoint(NOT_FOR_ML), path
        assert "mlflow" not in tops or path.parent == ML / "tracking", path


def test_no_room_of_ml_needs_one_that_needs_it() -> None:
    needs: dict[str, set[str]] = defaultdict(set)
    for path in ML.rglob("*.py"):
        room = path.relative_to(ML).with_suffix("").parts[0]
        needs[room] |= {room_of(each) for each in imported_by(path) if each.startswith("ml.")}
        needs[room].discard(room)
    order = list(TopologicalSorter(needs).static_order())
    assert order.index("panel") < order.index("forecasters") < order.index("training")


def test_what_is_heavy_is_imported_by_no_entry_but_where_it_is_used() -> None:
    code = f"import {', '.join(ENTRIES)}, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert loaded >= set(ENTRIES)
    assert loaded.isdisjoint(HEAVY)
