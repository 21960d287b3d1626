"""Pictures of a training, as figures without a window."""

from typing import TYPE_CHECKING

from ml.training import TrainingResult

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def error_ratios(result: TrainingResult) -> "Figure":
    """Return a bar chart of how far every model's test errors are from the naive forecast's."""
    from matplotlib.figure import Figure

    names = [model.forecaster.name for model in result.models]
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    for offset, label, ratios in (
        (-0.2, "RMSE", [model.test.rmse_to_naive for model in result.models]),
        (0.2, "MAE", [model.test.mae_to_naive for model in result.models]),
    ):
        places = [place + offset for place in range(len(names))]
        # From zero on: bars of the ratios themselves would have to be cut off to show anything.
        bars = axes.bar(places, [100 * (ratio - 1) for ratio in ratios], 0.4, label=label)
        axes.bar_label(bars, fmt="%+.2f", fontsize=7)
    axes.axhline(0.0, color="black", linewidth=0.8)
    axes.set_xticks(range(len(names)), names)
    axes.margins(y=0.15)
    axes.set_ylabel("error against the naive forecast's, %")
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
