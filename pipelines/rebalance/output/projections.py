"""Rows of ``goal_projection``: one for each goal that can be projected."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.store_explanations import GOAL_PROJECTION
from models.vocabulary import GoalLever
from pipelines.rebalance.arrays import Integers
from pipelines.rebalance.goals.projection import PROBABILITY_ERROR, Projections
from pipelines.rebalance.inputs.shard import Goals
from pipelines.rebalance.output.columns import floats, integers, same, table_of, words

_NONE = -1


def projections(run_id: str, goals: Goals, found: Projections) -> pa.Table:
    """Return the prospects of a shard's goals, in the order of their ids."""
    rows = np.flatnonzero(found.is_projected)
    order = pc.sort_indices(goals.goal_id.take(pa.array(rows)))
    rows = rows[order.to_numpy()]
    levers = found.levers
    later = found.later_target_day[rows]
    return table_of(
        GOAL_PROJECTION,
        {
            "run_id": same(run_id, len(rows)),
            "goal_id": goals.goal_id.take(pa.array(rows)),
            "goal_version": integers(goals.version[rows]),
            "client_id": goals.client_id.take(pa.array(rows)),
            "success_probability": floats(found.success_probability[rows]),
            "probability_error": floats(np.full(len(rows), PROBABILITY_ERROR)),
            "wealth_cents": integers(found.wealth_cents[rows]),
            "planned_cash_flow_cents": integers(found.planned_cents[rows]),
            "lower_worth_cents": integers(found.lower_cents[rows]),
            "median_worth_cents": integers(found.median_cents[rows]),
            "upper_worth_cents": integers(found.upper_cents[rows]),
            "aimed_probability": floats(np.full(len(rows), found.aimed_probability)),
            "extra_monthly_cents": _known(levers.extra_monthly_cents[rows]),
            "later_target_date": pa.array(later.astype(np.int32), pa.date32(), mask=later == _NONE),
            "lower_target_cents": _known(levers.lower_target_cents[rows]),
            "higher_risk_score": _known(levers.higher_risk_score[rows]),
            "best_lever": words(levers.best[rows], GoalLever),
            "sentence": found.sentence.take(pa.array(rows)),
        },
    )


def _known(values: Integers) -> pa.Array:
    return integers(values, values != _NONE)
