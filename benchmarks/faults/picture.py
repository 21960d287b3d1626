"""The curves of detection over severity, one small panel per fault that has a ladder."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.faults.score import FaultScore

_COLUMNS = 5
_CAUGHT, _AT_STAKE = "#1b6ca8", "#c0392b"


def draw(scored: Sequence[FaultScore], path: Path) -> Path:
    """Draw all curves into one PNG; a vertical line marks the severity that matters."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with_ladder = [one for one in scored if len(one.rungs) > 1]
    rows = -(-len(with_ladder) // _COLUMNS)
    with mpl.rc_context({"font.size": 8}):
        figure = Figure(figsize=(3.1 * _COLUMNS, 2.0 * rows), layout="constrained")
        panels = figure.subplots(rows, _COLUMNS, squeeze=False)
        for panel in panels.flat:
            panel.set_visible(False)
        for panel, one in zip(panels.flat, with_ladder, strict=False):
            panel.set_visible(True)
            steps = range(len(one.rungs))
            panel.plot(steps, [100 * rung.share for rung in one.rungs], "o-", color=_CAUGHT, ms=4)
            panel.axvline(one.rungs.index(one.at_stake), color=_AT_STAKE, lw=1, ls="--")
            panel.set_xticks(list(steps), [f"{rung.severity:g}" for rung in one.rungs])
            panel.set_ylim(-5, 105)
            panel.set_yticks([0, 50, 100])
            panel.set_title(one.fault.name.replace("_", " "), fontsize=9)
            panel.set_xlabel(one.fault.unit)
            panel.spines[["top", "right"]].set_visible(False)
        figure.supylabel("caught, % of injections")
        figure.suptitle(
            "Faults in simulated data: share caught by severity "
            "(dashed: moves a portfolio of 20 equal holdings by 10 basis points)"
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=110)
    return path
