"""Pictures of a training, as figures without a window."""

from typing import TYPE_CHECKING

from ml.training import TrainedModel, TrainingResult

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def error_ratios(result: TrainingResult) -> "Figure":
    """Return a bar chart of every model's test errors as ratios to the naive forecast's."""
    from matplotlib.figure import Figure

    names = [model.forecaster.name for model in result.models]
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    for offset, label, values in (
        (-0.2, "RMSE", [model.test.rmse_to_naive for model in result.models]),
        (0.2, "MAE", [model.test.mae_to_naive for model in result.models]),
    ):
        bars = axes.bar([place + offset for place in range(len(names))], values, 0.4, label=label)
        axes.bar_label(bars, fmt="%.3f", fontsize=7)
    axes.axhline(1.0, color="black", linewidth=0.8)
    axes.set_xticks(range(len(names)), names)
    ratios = [ratio for model in result.models for ratio in _ratios(model)]
    axes.set_ylim(min(ratios) - 0.02, max(ratios) + 0.02)
    axes.set_ylabel("error / error of the naive forecast")
    start, end = result.test_period
    axes.set_title(f"{result.plan.horizon_sessions}-session log return, test {start} to {end}")
    axes.legend()
    return figure


def loss_curve(result: TrainingResult) -> "Figure":
    """Return training and validation loss of the network by epoch, one line per seed."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    for seed in sorted({int(row["seed_index"]) for row in result.epochs}):
        rows = [row for row in result.epochs if row["seed_index"] == seed]
        epochs = [row["epoch"] + 1 for row in rows]
        (line,) = axes.plot(epochs, [row["val_loss"] for row in rows], label=f"validation, {seed}")
        axes.plot(
            epochs,
            [row["loss"] for row in rows],
            linestyle="--",
            color=line.get_color(),
            label=f"training, {seed}",
        )
    axes.set_xlabel("epoch")
    axes.set_ylabel("negative log likelihood")
    axes.legend(fontsize=7)
    return figure


def _ratios(model: TrainedModel) -> tuple[float, float]:
    return model.test.rmse_to_naive, model.test.mae_to_naive
