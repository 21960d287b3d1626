"""All that a person reads of a training: tables, pictures, and a page that holds both."""

import base64
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml.card import description, model_card
from ml.card.honest_table import SERVED, honest_rows
from ml.plots import CAPTIONS, training_pictures
from ml.records import FinishedTraining
from ml.results import TrainingResult

PLOTS_FOLDER = "plots"

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 76rem; margin: 2rem auto;
       padding: 0 1rem; }
p, li { max-width: 48rem; }
table { border-collapse: collapse; font-size: 12.5px; font-variant-numeric: tabular-nums;
        display: block; overflow-x: auto; }
th, td { padding: .25rem .55rem; border-bottom: 1px solid #e4e4e4; vertical-align: bottom; }
td { white-space: nowrap; }
th { font-weight: 600; border-bottom: 1px solid #8a8a8a; }
img { max-width: 100%; }
figcaption { color: #666; font-size: 13px; }
"""


@dataclass(frozen=True)
class Report:
    """What the run of a training shows.

    Attributes
    ----------
    folder : the model card as page and as Markdown, and pictures.
    description : for the top of the run's page, Markdown.
    tables : by name, lists by column.
    """

    folder: Path
    description: str
    tables: Mapping[str, Mapping[str, list[Any]]]


def draw(result: TrainingResult, folder: Path) -> None:
    """Write the pictures of a training into a report's new folder."""
    plots = folder / PLOTS_FOLDER
    plots.mkdir(parents=True)
    for name, figure in training_pictures(result):
        figure.savefig(plots / f"{name}.png")


def make_report(training: FinishedTraining, result: TrainingResult, folder: Path) -> Report:
    """Write the card beside the pictures in a folder, and return what else the run shows."""
    card = model_card(training, result)
    (folder / "model_card.md").write_text(card, "utf-8")
    (folder / "model_card.html").write_text(_page(card, folder / PLOTS_FOLDER), "utf-8")
    return Report(folder, description(training), _tables(training, result))


def _tables(training: FinishedTraining, result: TrainingResult) -> dict[str, dict[str, list[Any]]]:
    coverage = {model.name: model.coverage for model in result.models}
    symbols = {model.name: model.symbol_scores for model in result.models}
    tables = {
        "honest_table": honest_rows(training),
        "evidence": [_plain(vars(each)) for each in training.choice.evidence],
        "coverage_by_year": _named({**coverage, SERVED: result.served.coverage}),
        "symbol_scores": _named({**symbols, SERVED: result.served.symbol_scores}),
        "trials": [
            {"trial": trial.number + 1, "state": trial.state, "seconds": trial.seconds,
             "held_out_loss": trial.held_out_loss, "epochs": len(trial.losses),
             **trial.settings}
            for trial in result.trials
        ],
    }  # fmt: skip
    return {name: _by_column(rows) for name, rows in tables.items() if rows}


def _named(rows: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    return [{"model": name, **vars(row)} for name, found in rows.items() for row in found]


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: str(value) if isinstance(value, dt.date) else value for name, value in row.items()
    }


def _by_column(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row.get(name) for row in rows] for name in rows[0]}


def _page(card: str, plots: Path) -> str:
    from markdown_it import MarkdownIt

    body = MarkdownIt("commonmark").enable("table").render(card)
    figures = "".join(
        f'<figure><img alt="{caption}" src="data:image/png;base64,{_encoded(path)}">'
        f"<figcaption>{caption}</figcaption></figure>"
        for name, caption in CAPTIONS.items()
        if (path := plots / f"{name}.png").exists()
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Model card</title>'
        f"<style>{_STYLE}</style></head><body>{body}<h2>Pictures</h2>{figures}</body></html>\n"
    )


def _encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
