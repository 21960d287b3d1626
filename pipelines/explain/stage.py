"""The facts of an explanation, put together."""

from collections.abc import Sequence

import sqlalchemy as sa

from models.vocabulary import CASH
from pipelines.explain.facts import (
    AccountAdvice,
    AccountOutcome,
    Explanation,
    Run,
    TradeFact,
)
from pipelines.explain.finding import find_subject, runs_by_id
from pipelines.explain.reading import (
    read_account,
    read_files,
    read_forecasts,
    read_goal,
    read_instruments,
    read_outcomes,
    read_views,
    read_weights,
)
from pipelines.explain.standing import read_standing
from pipelines.explain.trades import read_trades
from pipelines.settings import Settings
from pipelines.store import connect


def explain(settings: Settings, key: str, run_id: str | None = None) -> Explanation:
    """Return all that is recorded of a trade, an account or a client's accounts.

    Parameters
    ----------
    key : ``trade_id``, ``account_id`` or ``client_id``.
    run_id : a run's key or its first digits, whatever its status; if left out, the last published
        run that has something to say of the key.

    Raises
    ------
    ExplainError
        Nothing has that key, or nothing of it is published.
    StoreError
        The store cannot be read.
    """
    with connect(settings) as store:
        subject = find_subject(store, key, run_id)
        run = subject.run
        outcomes = read_outcomes(store, run.run_id, subject.account_ids)
        trades = read_trades(store, run.run_id, subject.account_ids, subject.trade_id)
        symbols = sorted({trade.symbol for found in trades.values() for trade in found})
        symbol = symbols[0] if subject.trade_id else None
        return Explanation(
            asked=key,
            kind=subject.kind,
            symbol=symbol,
            run=run,
            instruments=read_instruments(store),
            accounts=tuple(
                _account(store, run, outcomes[account], trades.get(account, ()), symbol)
                for account in subject.account_ids
            ),
            files=read_files(settings, store, run.data_snapshot, symbols),
        )


def _account(
    store: sa.Connection,
    run: Run,
    outcome: AccountOutcome,
    trades: Sequence[TradeFact],
    symbol: str | None,
) -> AccountAdvice:
    account_id = outcome.account_id
    account = read_account(store, account_id, run)
    target_id = outcome.allocation_run_id
    weights = read_weights(store, target_id, account_id) if target_id else ()
    spoken_of = {each.symbol for each in weights if each.target or each.held} - {CASH}
    symbols = {symbol} if symbol else spoken_of | {trade.symbol for trade in trades}
    return AccountAdvice(
        outcome=outcome,
        tax_kind=account.tax_kind if account else None,
        share_kind=account.share_kind if account else None,
        trades=tuple(trades),
        target_run=runs_by_id(store, {target_id}).get(target_id) if target_id else None,
        target_outcome=(
            read_outcomes(store, target_id, [account_id]).get(account_id) if target_id else None
        ),
        weights=weights,
        views=read_views(store, target_id, account_id) if target_id else {},
        forecasts=read_forecasts(store, target_id or run.run_id, symbols),
        goal=read_goal(store, run.run_id, account.goal_id) if account else None,
        standing=read_standing(store, account_id, outcome.client_id, run),
    )
