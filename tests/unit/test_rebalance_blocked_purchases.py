"""What a wash sale keeps from being bought is asked for elsewhere, and no cash waits for it."""

import dataclasses

import numpy as np
from shard_examples import changed_accounts, made_shard, valued
from shard_market import MARKET, OUTLOOK, advised

from models.vocabulary import MICROS_PER_CENT
from pipelines.rebalance.inputs.shard import LossSales, Shard
from pipelines.rebalance.limits.make_bounds import make_bounds
from pipelines.rebalance.policy import POLICY
from pipelines.rebalance.reasons.paths import CAUSE_NAMES
from pipelines.rebalance.trades.wash_sales import TAXABLE, loss_cents

LOST = POLICY.wash_sale_minimum_loss_cents


def newcomers(clients: int = 12) -> Shard:
    """Accounts with nothing but cash, never advised before."""
    shard = valued(made_shard(MARKET, clients, seed=3), MARKET)
    accounts = shard.accounts
    return valued(
        changed_accounts(
            shard,
            held_micros=np.zeros_like(accounts.held_micros),
            cash_micros=np.maximum(accounts.wealth_cents, 100_000) * MICROS_PER_CENT,
            cash_buffer_cents=np.zeros_like(accounts.cash_buffer_cents),
            last_nanos=np.full_like(accounts.last_nanos, -1),
        ),
        MARKET,
    )


def with_losses(shard: Shard, symbols: list[int], client: int = 0, cents: int = LOST) -> Shard:
    count = len(symbols)
    sales = LossSales(
        client=np.full(count, client),
        symbol=np.array(symbols),
        quantity_micros=np.full(count, 10_000_000),
        loss_cents=np.full(count, cents),
    )
    return dataclasses.replace(shard, loss_sales=sales)


def test_the_target_puts_elsewhere_what_may_not_be_bought() -> None:
    shard = newcomers()
    before = advised(shard)
    mine = np.flatnonzero(shard.accounts.client == 0)
    wanted = int(before.targets.account_nanos[mine[0], :-1].argmax())
    after = advised(with_losses(shard, [wanted]))
    assert (after.targets.account_nanos[mine, wanted] == 0).all()
    assert (after.sized.traded_micros[mine, wanted] == 0).all()
    # Not only what is left without it, which would lie idle for a month.
    idle = before.sized.cash_after_cents[mine] + before.sized.notional_cents[mine, wanted]
    assert (after.sized.cash_after_cents[mine] < idle).all()
    # What is bought in its place is bought because of tax.
    tax = after.reasons.causes_micros[:, CAUSE_NAMES.index("tax")]
    assert (tax[np.nonzero(after.sized.traded_micros)[0] == mine[0]] > 0).any()
    others = shard.accounts.client != 0
    assert (after.sized.traded_micros[others] == before.sized.traded_micros[others]).all()


def test_a_loss_too_small_to_matter_limits_nothing() -> None:
    shard = with_losses(newcomers(), [0], cents=LOST - 1)
    bounds = make_bounds(shard, MARKET, OUTLOOK, POLICY)
    assert (bounds.reachable_upper == bounds.upper).all()


def test_what_is_held_may_stay_and_the_limit_on_record_is_the_clients_own() -> None:
    shard = valued(made_shard(MARKET, 12, seed=3), MARKET)
    account = int(np.flatnonzero((shard.accounts.held_micros > 0).any(axis=1))[0])
    client = int(shard.accounts.client[account])
    held = np.flatnonzero(shard.accounts.held_micros[account])[:1].tolist()
    free = make_bounds(shard, MARKET, OUTLOOK, POLICY)
    bounds = make_bounds(with_losses(shard, held, client), MARKET, OUTLOOK, POLICY)
    assert (bounds.upper == free.upper).all()
    goal = shard.accounts.goal[account]
    of_goal = shard.accounts.goal == goal
    share = shard.accounts.value_cents[of_goal].sum(axis=0) / bounds.wealth_cents[goal]
    assert bounds.reachable_upper[goal, held] == np.minimum(free.upper[goal], share)[held]


def test_where_nothing_else_may_be_bought_the_limits_stay_as_they_are() -> None:
    shard = with_losses(newcomers(), list(range(len(MARKET.symbols))))
    bounds = make_bounds(shard, MARKET, OUTLOOK, POLICY)
    assert (bounds.reachable_upper == bounds.upper).all()


def test_no_account_buys_what_another_one_of_its_client_sells_at_a_loss() -> None:
    """Cash that is left by a purchase that is not made buys nothing else of that kind."""
    prices = np.array(MARKET.price_micros)
    for seed in range(8):
        shard = valued(made_shard(MARKET, 60, seed), MARKET)
        dear = shard.lots.quantity_micros * (prices[shard.lots.symbol] / 1e10) * 1.5
        lots = dataclasses.replace(shard.lots, basis_cents=dear.astype(np.int64))
        advice = advised(dataclasses.replace(shard, lots=lots))
        sales, accounts = advice.lot_sales, shard.accounts
        taxed = accounts.tax_kind[sales.account] == TAXABLE
        lost = np.zeros((int(accounts.client.max()) + 1, len(prices)), np.int64)
        where = accounts.client[sales.account[taxed]], sales.symbol[taxed]
        np.add.at(lost, where, loss_cents(sales)[taxed])
        bought = advice.sized.traded_micros > 0
        assert not (bought & (lost[accounts.client] >= LOST)).any()
