"""Say in the log which accounts got no advice, by their keys, so that somebody can look."""

import logging

import pyarrow.compute as pc

from models.vocabulary import Outcome
from pipelines.log_identifiers import identified
from pipelines.rebalance.output.shards import ShardRows

logger = logging.getLogger(__name__)

MOST_LINES = 20
"""Of one shard; the store has all of them, with their sentences."""


def log_failed(rows: ShardRows) -> int:
    """Log a line for each account of a shard that failed; return how many there are.

    The sentence stays in the store: it is for the client, and says what the client has.
    """
    outcomes = rows.tables["client_outcome"]
    failed = outcomes.filter(pc.equal(outcomes["outcome"].cast("string"), Outcome.FAILED.value))
    accounts = failed["account_id"].to_pylist()
    for account in accounts[:MOST_LINES]:
        with identified(shard=rows.key.number, account=account):
            logger.warning("the account got no advice; see its outcome, and `smartinvest explain`")
    if len(accounts) > MOST_LINES:
        logger.warning("%d more accounts of the shard got no advice", len(accounts) - MOST_LINES)
    return len(accounts)
