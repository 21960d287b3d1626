"""What a process of ours pays for that only names what it may need of forecasting."""

import subprocess
import sys

HEAVY = ("tensorflow", "keras", "mlflow", "lightgbm", "optuna", "matplotlib", "numba")

ENTRIES = (
    "ml.training.train",
    "ml.training.report",
    "ml.search.settings",
    "ml.choice.champion",
    "ml.panel.reading",
    "ml.serving",
    "ml.forecasters.lstm.forecaster",
    "ml.forecasters.gradient_boosting",
)


def test_what_is_heavy_is_imported_by_no_entry_but_where_it_is_used() -> None:
    code = f"import {', '.join(ENTRIES)}, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert loaded >= set(ENTRIES)
    assert loaded.isdisjoint(HEAVY)
