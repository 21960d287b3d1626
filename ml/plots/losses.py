"""How the network learned: losses by epoch, seed and fold."""

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ml.forecasters import LSTM
from ml.plots.style import BLUE, GREEN, PURPLE, SKY, VERMILION, new_figure, whole_numbers
from ml.results import FitLoss

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SEED_COLOURS = (BLUE, VERMILION, GREEN, PURPLE, SKY)


def loss_curves(model_name: str, losses: Iterable[FitLoss]) -> "Figure | None":
    """Return training and held-out loss of the network, a panel per fold, a colour per seed.

    None for models that do not learn in epochs.
    """
    folds: dict[int, dict[str, list[FitLoss]]] = defaultdict(lambda: defaultdict(list))
    for loss in losses:
        if loss.model_name == model_name == LSTM:
            folds[loss.fold][loss.what].append(loss)
    if not folds:
        return None
    numbers = sorted(folds, key=lambda fold: fold or max(folds) + 1)  # the serving fit is fold 0
    figure, axes = new_figure(3.2 * len(numbers) + 1, 3.4, columns=len(numbers), sharey=True)
    for place, fold in enumerate(numbers):
        panel = axes[0][place]
        for number, steps in enumerate(folds[fold].values()):
            colour = _SEED_COLOURS[number % len(_SEED_COLOURS)]
            epochs = [step.step for step in steps]
            panel.plot(epochs, [step.held_out_loss for step in steps], "-o", color=colour,
                       markersize=3, label=_seed(steps[0].what))  # fmt: skip
            panel.plot(epochs, [step.loss for step in steps], "--", color=colour, alpha=0.7)
        panel.set_title(f"fold {fold}" if fold else "to serve")
        panel.set_xlabel("epoch")
        whole_numbers(panel)
    axes[0][0].set_ylabel("mean negative log likelihood")
    figure.legend(
        *axes[0][0].get_legend_handles_labels(), loc="outside lower center", fontsize=8,
        ncols=6, frameon=False, title="held out; dashed: learned from", title_fontsize=8,
    )  # fmt: skip
    return figure


def _seed(what: str) -> str:
    found = re.search(r"seed \d+", what)
    return found.group() if found else what
