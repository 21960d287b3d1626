"""Pictures of a training, as figures without a window."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ml.plots.coverage import coverage_by_year
from ml.plots.cumulative import cumulative_skill
from ml.plots.errors import error_ratios
from ml.plots.losses import loss_curves
from ml.plots.reliability import interval_reliability
from ml.plots.search import search_history
from ml.results import TrainedModel, TrainingResult

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CAPTIONS = {
    "error_ratios": "Test errors against the naive forecast's; seeds' range as a line.",
    "cumulative_skill": "Where in time each model gained on the expanding mean, or lost.",
    "coverage_by_year": "Intervals of what would have served: outcomes inside, by year, beside "
    "what chance allows.",
    "interval_reliability": "Share of outcomes inside intervals of every level.",
    "search": "Settings of the network that were tried, and what each made of them.",
}
"""What the pictures of a training show, by name."""


def training_pictures(result: TrainingResult) -> "Iterator[tuple[str, Figure]]":
    """Yield names and pictures of all models together."""
    yield "error_ratios", error_ratios(result)
    yield "cumulative_skill", cumulative_skill(result)
    yield (
        "coverage_by_year",
        coverage_by_year(result.served.coverage, "what the choices would have served"),
    )
    yield "interval_reliability", interval_reliability(result)
    if result.trials:
        yield "search", search_history(result.trials)


def model_pictures(model: TrainedModel, result: TrainingResult) -> "Iterator[tuple[str, Figure]]":
    """Yield names and pictures of one model."""
    yield "coverage_by_year", coverage_by_year(model.coverage, model.name)
    curves = loss_curves(model.name, result.losses)
    if curves is not None:
        yield "losses", curves
