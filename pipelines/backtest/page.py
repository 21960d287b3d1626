"""The backtest as one page that needs nothing beside it."""

from html import escape

import numpy as np

from models.vocabulary import AllocationView
from pipelines.backtest.charts import drawdown_chart, wealth_chart, weights_chart
from pipelines.backtest.output import HEADER, Backtest, cells
from pipelines.backtest.results import middle_score, worth_of_views
from pipelines.rebalance.arrays import Floats

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 1080px; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
.period { color: #666; margin-top: .2rem; }
.warning { background: #fff4e5; border-left: 4px solid #d55e00; padding: .6rem 1rem; }
.scroll { overflow-x: auto; } svg { width: 100%; height: auto; display: block; }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .6rem; text-align: right; white-space: nowrap; }
th { border-bottom: 2px solid #222; vertical-align: bottom; white-space: normal; }
th:first-child, td:first-child { text-align: left; }
tr.block td { border-top: 1px solid #bbb; } tbody tr:hover { background: #f5f5f5; }
li { margin-bottom: .4rem; }
"""

_ALIKE = 0.01
"""Portfolios that never differ more in any weight have one picture."""

_MEANINGS = (
    "Return, volatility, turnover (bought and sold) and cost are shares a year; the first "
    "purchase counts in the return, not in turnover. The Sharpe ratio is of returns above "
    "cash; its standard error allows for fat tails and autocorrelation (Lo 2002). The "
    "deflated Sharpe ratio is the probability that the true ratio exceeds what the best of so"
    " many trials without skill would show (Bailey and Lopez de Prado 2014). The last column "
    "is the difference in yearly log return to the no-view portfolio of the same risk score, "
    "benchmarks to that of score {score}, with the two-sided p value of a test that allows "
    "for memory (Newey-West)."
)


def page(backtest: Backtest) -> str:
    """Return the page as HTML, pictures and all."""
    score = middle_score(backtest.walk.strategies)
    warning, *others = backtest.remarks
    title = f"Backtest, source {backtest.history.source}"
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>",
            f"<h1>{escape(title)}</h1>",
            f'<p class="period">{backtest.first} to {backtest.last}, '
            f"{len(backtest.walk.decided)} decisions, net of costs</p>",
            f'<p class="warning">{escape(warning)}</p>',
            f"<p><b>{escape(worth_of_views(backtest.rows))}</b></p>",
            f'<div class="scroll">{_table(backtest)}</div>',
            f"<p>{escape(_MEANINGS.format(score=score))}</p>",
            f"<h2>Wealth, score {score} and benchmarks</h2>{wealth_chart(backtest)}",
            f"<h2>Drawdown</h2>{drawdown_chart(backtest)}",
            *_weights(backtest, score),
            f"<h2>What to know before believing it</h2><ul>{_items(others)}</ul>",
            "</body></html>\n",
        ]
    )


def _items(texts: list[str]) -> str:
    return "".join(f"<li>{escape(text)}</li>" for text in texts)


def _table(backtest: Backtest) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in HEADER)
    body, last = [], object()
    for row in backtest.rows:
        begins = ' class="block"' if row.strategy.score != last else ""
        last = row.strategy.score
        values = "".join(f"<td>{escape(cell)}</td>" for cell in cells(row))
        body.append(f"<tr{begins}>{values}</tr>")
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"


def _weights(backtest: Backtest, score: int) -> list[str]:
    """Return a picture for each view whose portfolio differs from one before it."""
    parts: list[str] = []
    seen: list[Floats] = []
    for view in reversed(AllocationView):
        strategy = next(
            each for each in backtest.walk.strategies if (each.score, each.view) == (score, view)
        )
        weights = backtest.walk.weights[:, backtest.walk.strategies.index(strategy)]
        if not any(np.abs(weights - other).max() < _ALIKE for other in seen):
            seen.append(weights)
            chart = weights_chart(backtest, strategy)
            parts.append(f"<h2>Weights by class, {escape(strategy.title)}</h2>{chart}")
    return parts
