"""A backtest as files: a page to look at, tables of wealth and weights, the figures as JSON."""

import csv
import datetime as dt
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipelines.backtest.history import History
from pipelines.backtest.results import Row
from pipelines.backtest.statistics import distinct_trials
from pipelines.backtest.walk import Walk
from pipelines.errors import HomeError

HEADER = (
    "strategy",
    "return",
    "volatility",
    "Sharpe ± s.e.",
    "deflated Sharpe",
    "worst drawdown",
    "turnover",
    "cost",
    "worst year",
    "against no view (p)",
)
"""Columns of the table of figures; returns, turnover and cost are a year's."""

HEADLINE = ("strategy", "return", "Sharpe ± s.e.", "worst drawdown", "against no view (p)")
"""Those that a narrow terminal has room for."""

_DIGITS = 12
"""Significant digits in files; the last bits are nobody's business."""


@dataclass(frozen=True)
class Backtest:
    """A walk with its figures and remarks."""

    history: History
    walk: Walk
    rows: tuple[Row, ...]
    remarks: tuple[str, ...]

    @property
    def sessions(self) -> npt.NDArray[np.datetime64]:
        """Dates of the walk's wealth, unit day."""
        return self.history.sessions[self.walk.start :]

    @property
    def first(self) -> dt.date:
        """Session of the first decision."""
        return _date(self.sessions[0])

    @property
    def last(self) -> dt.date:
        """Last session."""
        return _date(self.sessions[-1])


def cells(row: Row) -> tuple[str, ...]:
    """Return a strategy's figures as ``HEADER`` names them."""
    return (
        row.strategy.title,
        f"{row.annual_return:.2%}",
        f"{row.annual_volatility:.2%}",
        f"{row.sharpe:.2f} ± {row.sharpe_error:.2f}",
        f"{row.deflated_sharpe:.3f}",
        f"{row.worst_drawdown:.1%}",
        f"{row.turnover:.0%}",
        f"{row.cost:.3%}",
        f"{row.worst_year} {row.worst_year_return:+.1%}",
        _against(row),
    )


def _against(row: Row) -> str:
    match row.against_no_view:
        case None:
            return ""
        case found if found.p_value is None:
            return "the same"
        case found:
            return f"{found.annual:+.2%} ({found.p_value:.2f})"


def write(backtest: Backtest, folder: Path) -> tuple[Path, ...]:
    """Write page, figures, wealth and weights into a folder and return their paths.

    Raises
    ------
    HomeError
        The folder cannot be written.
    """
    try:
        return _write(backtest, folder)
    except OSError as error:
        raise HomeError(
            "folder of the backtest",
            folder,
            f"it cannot be written ({error.strerror or error})",
            "Mend its permissions or make room on the disk, or name another one with --out.",
        ) from None


def _write(backtest: Backtest, folder: Path) -> tuple[Path, ...]:
    from pipelines.backtest.page import page

    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / name for name in ("backtest.html", "backtest.json")]
    paths[0].write_text(page(backtest), encoding="utf-8")
    paths[1].write_text(json.dumps(_figures(backtest), indent=1) + "\n", encoding="utf-8")
    keys = [strategy.key for strategy in backtest.walk.strategies]
    wealth = zip(backtest.sessions, backtest.walk.wealth, strict=True)
    paths += [
        _csv(
            folder / "figures.csv", (*HEADER, "key"),
            ((*cells(row), row.strategy.key) for row in backtest.rows),
        ),
        _csv(
            folder / "wealth.csv", ("session_date", *keys),
            ((str(session), *map(_short, row)) for session, row in wealth),
        ),
        _csv(
            folder / "weights.csv", ("traded_on", "strategy", "symbol", "weight"),
            _weights(backtest),
        ),
    ]  # fmt: skip
    return tuple(paths)


def _weights(backtest: Backtest) -> Iterable[tuple[str, ...]]:
    traded = backtest.history.sessions[backtest.walk.decided + 1]
    for session, by_strategy in zip(traded, backtest.walk.weights, strict=True):
        for strategy, weights in zip(backtest.walk.strategies, by_strategy, strict=True):
            for column in np.flatnonzero(weights):
                symbol = backtest.history.symbols[column]
                yield str(session), strategy.key, symbol, _short(weights[column])


def _figures(backtest: Backtest) -> dict[str, Any]:
    return {
        "source": backtest.history.source,
        "first_session": str(backtest.first),
        "last_session": str(backtest.last),
        "decisions": len(backtest.walk.decided),
        "trials": len(distinct_trials(backtest.walk.excess)),
        "remarks": list(backtest.remarks),
        "strategies": [_row(row) for row in backtest.rows],
    }


def _row(row: Row) -> dict[str, Any]:
    against, view = row.against_no_view, row.strategy.view
    numbers = {
        name: float(_short(value)) if isinstance(value, float) else value
        for name, value in vars(row).items()
        if isinstance(value, int | float)
    }
    return {
        "key": row.strategy.key,
        "title": row.strategy.title,
        "score": row.strategy.score,
        "view": view.value if view else None,
        **numbers,
        "against_no_view_annual": against and against.annual,
        "against_no_view_p_value": against and against.p_value,
    }


def _csv(path: Path, header: Iterable[str], rows: Iterable[Iterable[str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    return path


def _short(value: float) -> str:
    return f"{value:.{_DIGITS}g}"


def _date(session: np.datetime64) -> dt.date:
    date: dt.date = session.astype(object)
    return date
