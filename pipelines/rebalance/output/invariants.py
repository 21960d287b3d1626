"""What must hold of every published run, as queries that return what breaks it.

They read the store's tables alone, on SQLite and on PostgreSQL, so whoever reads the tables can
ask them too.
"""

from collections.abc import Mapping

import sqlalchemy as sa

from models.store_trades import CAUSES

_SUM_OF_CAUSES = " + ".join(f"reason.{cause}_micros" for cause in CAUSES)
_SIGNED = "CASE trade.side WHEN 'buy' THEN trade.quantity_micros ELSE -trade.quantity_micros END"

INVARIANTS: Mapping[str, str] = {
    "every account has one outcome, and shards have all their rows": """
        SELECT shards.run_id FROM (
            SELECT
                run_id,
                sum(accounts) AS accounts,
                sum(trades) AS trades,
                max(CASE status WHEN 'written' THEN 0 ELSE 1 END) AS failed
            FROM advice_shard WHERE run_id = :run_id GROUP BY run_id
        ) AS shards
        WHERE failed > 0
            OR accounts <> (SELECT count(*) FROM client_outcome WHERE run_id = :run_id)
            OR trades <> (SELECT count(*) FROM trade WHERE run_id = :run_id)
    """,
    "every outcome and every trade says why": """
        SELECT account_id FROM client_outcome WHERE run_id = :run_id AND sentence = ''
        UNION ALL
        SELECT trade.trade_id FROM trade
        JOIN trade_reason AS reason ON reason.trade_id = trade.trade_id
        WHERE trade.run_id = :run_id AND reason.sentence = ''
    """,
    "an account that is not held, blocked or failed has a target, which is there": """
        SELECT outcome.account_id FROM client_outcome AS outcome
        LEFT JOIN target_allocation AS target
            ON target.run_id = outcome.allocation_run_id
            AND target.account_id = outcome.account_id
            AND target.symbol = '$CASH'
        WHERE outcome.run_id = :run_id AND target.run_id IS NULL AND (
            outcome.allocation_run_id IS NOT NULL
            OR outcome.outcome NOT IN ('held', 'blocked', 'failed')
        )
    """,
    "weights with cash sum to 1": """
        SELECT account_id FROM target_allocation WHERE run_id = :run_id
        GROUP BY account_id HAVING abs(sum(weight) - 1) > 1e-9
    """,
    "weights keep their bounds": """
        SELECT account_id FROM target_allocation
        WHERE run_id = :run_id AND symbol <> '$CASH'
          AND (weight < lower_bound - 1e-9 OR weight > upper_bound + 1e-9)
    """,
    "cash before + sells - buys - fees = cash after": """
        SELECT account_id FROM client_outcome
        WHERE run_id = :run_id
          AND cash_before_cents + sells_cents - buys_cents - fees_cents <> cash_after_cents
    """,
    "who buys keeps the cash buffer, and is never in debt": """
        SELECT outcome.account_id FROM client_outcome AS outcome
        LEFT JOIN (
            SELECT account_id, min(cash_buffer_cents) AS buffer_cents
            FROM account GROUP BY account_id
        ) AS kept ON kept.account_id = outcome.account_id
        WHERE outcome.run_id = :run_id AND outcome.buys_cents > 0
          AND outcome.cash_after_cents < coalesce(kept.buffer_cents, 0)
    """,
    "nobody sells more than is held": """
        SELECT account_id FROM client_outcome
        WHERE run_id = :run_id AND sells_cents > 0
          AND sells_cents > wealth_cents - cash_before_cents
        UNION ALL
        SELECT trade.account_id FROM trade
        JOIN client_outcome AS outcome
            ON outcome.run_id = trade.run_id AND outcome.account_id = trade.account_id
        JOIN target_allocation AS target
            ON target.run_id = trade.run_id
            AND target.account_id = trade.account_id
            AND target.symbol = trade.symbol
        WHERE trade.run_id = :run_id AND trade.side = 'sell'
          AND trade.notional_cents > target.current_weight * outcome.wealth_cents + 0.5
    """,
    "an outcome's sells, buys and fees are those of its trades": """
        SELECT outcome.account_id FROM client_outcome AS outcome
        LEFT JOIN (
            SELECT
                account_id,
                sum(CASE side WHEN 'sell' THEN notional_cents ELSE 0 END) AS sells_cents,
                sum(CASE side WHEN 'buy' THEN notional_cents ELSE 0 END) AS buys_cents,
                sum(fee_cents) AS fees_cents
            FROM trade WHERE run_id = :run_id GROUP BY account_id
        ) AS traded ON traded.account_id = outcome.account_id
        WHERE outcome.run_id = :run_id AND (
            outcome.sells_cents <> coalesce(traded.sells_cents, 0)
            OR outcome.buys_cents <> coalesce(traded.buys_cents, 0)
            OR outcome.fees_cents <> coalesce(traded.fees_cents, 0)
        )
    """,
    "every trade belongs to an account with an outcome": """
        SELECT trade_id FROM trade
        LEFT JOIN client_outcome AS outcome
            ON outcome.run_id = trade.run_id AND outcome.account_id = trade.account_id
        WHERE trade.run_id = :run_id AND outcome.account_id IS NULL
    """,
    "all trades are of instruments, and end on one day after the session": """
        SELECT trade.trade_id FROM trade
        LEFT JOIN instrument ON instrument.symbol = trade.symbol
        WHERE trade.run_id = :run_id AND (
            instrument.symbol IS NULL
            OR trade.valid_until <> (SELECT max(valid_until) FROM trade WHERE run_id = :run_id)
            OR trade.valid_until <= (SELECT session_date FROM advice_run WHERE run_id = :run_id)
        )
    """,
    "notional is quantity times price, to the nearest cent": """
        SELECT trade_id FROM trade WHERE run_id = :run_id
          AND abs(notional_cents - (quantity_micros * 1.0) * price_micros / 1e10) > 0.5000001
    """,
    "an account sells before it buys, and trades a symbol once": """
        SELECT account_id FROM trade WHERE run_id = :run_id
        GROUP BY account_id
        HAVING max(CASE side WHEN 'sell' THEN sequence ELSE 0 END)
             > min(CASE side WHEN 'buy' THEN sequence ELSE 1000000 END)
            OR count(*) <> count(DISTINCT symbol) OR count(*) <> max(sequence)
    """,
    "every trade has its reason, whose causes sum to its quantity": f"""
        SELECT trade.trade_id FROM trade
        LEFT JOIN trade_reason AS reason ON reason.trade_id = trade.trade_id
        WHERE trade.run_id = :run_id
          AND (reason.trade_id IS NULL OR {_SUM_OF_CAUSES} <> {_SIGNED})
    """,
    "rounding is no more than a share": """
        SELECT trade.trade_id FROM trade
        JOIN trade_reason AS reason ON reason.trade_id = trade.trade_id
        WHERE trade.run_id = :run_id AND abs(reason.rounding_micros) > 1000000
    """,
    "an account with a new target has a verified optimum": """
        SELECT account_id FROM client_outcome
        WHERE run_id = :run_id AND allocation_run_id = :run_id
          AND trigger NOT IN ('cash_flow', 'none')
          AND (kkt_residual IS NULL OR kkt_residual > 1e-8)
    """,
    "what is held, blocked or failed is not traded": """
        SELECT trade.trade_id FROM trade
        JOIN client_outcome AS outcome
            ON outcome.run_id = trade.run_id AND outcome.account_id = trade.account_id
        WHERE trade.run_id = :run_id
          AND outcome.outcome IN ('held', 'blocked', 'failed', 'within_band')
    """,
    "a sell closes lots of what it sells for what it brings, and a buy none": """
        SELECT trade.trade_id FROM trade
        LEFT JOIN (
            SELECT
                trade_id,
                sum(quantity_micros) AS quantity_micros,
                sum(proceeds_cents) AS proceeds_cents
            FROM trade_lot GROUP BY trade_id
        ) AS closed ON closed.trade_id = trade.trade_id
        WHERE trade.run_id = :run_id AND (
            (trade.side <> 'sell' AND closed.trade_id IS NOT NULL)
            OR (trade.side = 'sell' AND (
                closed.trade_id IS NULL
                OR closed.quantity_micros <> trade.quantity_micros
                OR closed.proceeds_cents <> trade.notional_cents - trade.fee_cents
            ))
        )
    """,
    "weights under other views sum to 1": """
        SELECT account_id FROM counterfactual_allocation WHERE run_id = :run_id
        GROUP BY account_id, view HAVING abs(sum(weight) - 1) > 1e-9
    """,
}
"""By what must hold: rows that break it in the run ``:run_id``."""


def violations(connection: sa.Connection, run_id: str) -> dict[str, int]:
    """Return how many rows of a run break each law; 0 everywhere where all is well."""
    return {
        law: connection.execute(
            sa.text(f"SELECT count(*) FROM ({query}) AS broken"), {"run_id": run_id}
        ).scalar_one()
        for law, query in INVARIANTS.items()
    }
