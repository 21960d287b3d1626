"""What the lake keeps of given advice, so that a warehouse can tell what became of it.

Rows are copied from the SQL store's output tables, without the columns that still change once a
run is published.
"""

from dataclasses import replace

from models.declaration import integer
from models.store_advice import CLIENT_OUTCOME, TARGET_ALLOCATION
from models.store_forecasts import FORECAST, MODEL_CHOICE, MODEL_EVIDENCE
from models.store_runs import ADVICE_RUN
from models.store_scores import MODEL_CHECK, MODEL_SCORE
from models.store_trades import TRADE

_MOVES_ON = {"status"}

KEPT_RUN = replace(
    ADVICE_RUN,
    columns=(
        *ADVICE_RUN.columns,
        integer("file_count", "lake files that its snapshot names", "count", at_least=0),
        integer("row_count", "rows in those files", "count", at_least=0),
    ),
)
"""Runs that were published once, with the size of what they were made from."""

KEPT_TRADE = replace(
    TRADE,
    columns=tuple(column for column in TRADE if column.name not in _MOVES_ON),
    partial_indexes={},
)
"""Trades as they were advised; what the broker made of them is in the store."""

OF_ONE_RUN = (CLIENT_OUTCOME, TARGET_ALLOCATION, KEPT_TRADE, FORECAST)
"""Copied once per published run: its rows never change."""

OF_TRAININGS = (MODEL_CHOICE, MODEL_SCORE, MODEL_EVIDENCE, MODEL_CHECK)
"""Which model served each session, and why; scores of single symbols stay in the store."""

OF_ALL_RUNS = (KEPT_RUN, *OF_TRAININGS)
"""Few rows, which may change: copied whole."""

ADVICE_HISTORY = (*OF_ALL_RUNS, *OF_ONE_RUN)
