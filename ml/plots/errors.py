"""How far each model's errors are from the naive forecast's."""

from typing import TYPE_CHECKING

from ml.plots.style import INK, SERVED, colour_of, new_figure
from ml.results import TrainingResult
from ml.scores import Score
from models.vocabulary import ScoredPeriod

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def error_ratios(result: TrainingResult) -> "Figure":
    """Return test errors of all models as percent above the naive forecast's, by horizon.

    Lines span the errors of single seeds, dots are all seeds together, rings mean absolute errors.
    """
    horizons = result.plan.horizons
    figure, axes = new_figure(10, 4.4, columns=len(horizons), sharey=True)
    for place, horizon in enumerate(horizons):
        scores = _scores(result, horizon)
        _draw(axes[0][place], scores)
        start = min(score.period_start for _, score in scores)
        end = max(score.period_end for _, score in scores)
        axes[0][place].set_title(f"{horizon} sessions ahead, test {start} to {end}")
    axes[0][0].invert_yaxis()
    figure.legend(
        *axes[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8,
        frameon=False,
    )  # fmt: skip
    return figure


def _scores(result: TrainingResult, horizon: int) -> list[tuple[str, Score]]:
    served = next(each for each in result.served.scores if each.horizon_sessions == horizon)
    models = [(each.name, each.score(ScoredPeriod.TEST, horizon)) for each in result.models]
    return [*models, (SERVED, served)]


def _draw(axes: "Axes", scores: list[tuple[str, Score]]) -> None:
    axes.axvline(0.0, color=INK, linewidth=0.8)
    for place, (name, score) in enumerate(scores):
        colour = colour_of(name)
        low, high = score.rmse_to_naive_seed_lowest, score.rmse_to_naive_seed_highest
        is_first = place == 0
        if low is not None and high is not None:
            axes.plot([_percent(low), _percent(high)], [place, place], color=colour, linewidth=2.5,
                      alpha=0.5, solid_capstyle="butt")  # fmt: skip
        if score.rmse_to_naive is not None:
            value = _percent(score.rmse_to_naive)
            axes.plot(value, place, "o", color=colour, markersize=6,
                      label="RMSE (line: single seeds)" if is_first else None)  # fmt: skip
            axes.annotate(f"{value:+.2f}", (value, place), xytext=(0, 6), ha="center",
                          textcoords="offset points", fontsize=7, color=INK)  # fmt: skip
        if score.mae_to_naive is not None:
            axes.plot(_percent(score.mae_to_naive), place, "o", markerfacecolor="none",
                      color=colour, markersize=5, label="MAE" if is_first else None)  # fmt: skip
    axes.set_yticks(range(len(scores)), [name for name, _ in scores])
    axes.margins(x=0.1, y=0.08)
    axes.set_xlabel("error above the naive forecast's, %  (left is better)")


def _percent(ratio: float) -> float:
    return 100.0 * (ratio - 1.0)
