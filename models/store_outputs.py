"""Output tables of the SQL store, in the order in which they may refer to each other.

Apps read the ``current_*`` views, which show published runs only.
"""

from models.store_advice import CLIENT_OUTCOME, TARGET_ALLOCATION
from models.store_explanations import (
    COUNTERFACTUAL_TARGET,
    EXPLANATIONS,
    GOAL_PROJECTION,
)
from models.store_forecasts import FORECASTS
from models.store_issues import CLIENT_ISSUE, QUARANTINE
from models.store_lineage import TASK_LINEAGE
from models.store_runs import ADVICE_RUN, ADVICE_SHARD, RUN_OUTLOOK, SNAPSHOT_FILE
from models.store_scores import SCORES
from models.store_trades import OPEN_ORDER, TRADE, TRADE_LOT, TRADE_REASON

WRITTEN_BY_SHARDS = (
    CLIENT_OUTCOME,
    TARGET_ALLOCATION,
    COUNTERFACTUAL_TARGET,
    GOAL_PROJECTION,
    TRADE,
    TRADE_REASON,
    TRADE_LOT,
    OPEN_ORDER,
)
"""What is written for some clients' accounts together, in this order."""

OUTPUTS = (
    ADVICE_RUN,
    SNAPSHOT_FILE,
    *FORECASTS,
    *SCORES,
    TARGET_ALLOCATION,
    TRADE,
    TRADE_REASON,
    TRADE_LOT,
    OPEN_ORDER,
    CLIENT_OUTCOME,
    ADVICE_SHARD,
    RUN_OUTLOOK,
    CLIENT_ISSUE,
    QUARANTINE,
    *EXPLANATIONS,
    TASK_LINEAGE,
)
