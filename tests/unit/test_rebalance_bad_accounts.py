"""What is wrong with an account, or odd about its market, costs that account alone."""

import dataclasses

import numpy as np
import pytest
from rebalance_examples import SESSION, daily_returns, history, instrument
from shard_examples import changed_accounts, made_shard, valued
from shard_market import MARKET, advised, followed, outcomes, some_shard

from models.vocabulary import Outcome
from pipelines.rebalance.inputs.screening import ACCOUNT_ISSUES, AccountIssue
from pipelines.rebalance.market.forecasts import Forecast, RunForecasts
from pipelines.rebalance.market.market import make_market
from pipelines.rebalance.market.outlook import make_outlook
from pipelines.rebalance.policy import POLICY
from pipelines.rebalance.shard_advice import advise


@pytest.mark.parametrize("issue", ACCOUNT_ISSUES[1:])
def test_an_account_with_an_issue_is_left_alone_and_the_others_are_not(
    issue: AccountIssue,
) -> None:
    shard = some_shard()
    marked = shard.accounts.issue.copy()
    marked[0] = ACCOUNT_ISSUES.index(issue)
    advice = advised(changed_accounts(shard, issue=marked))
    other_than_held = {
        AccountIssue.OPEN_ORDER: Outcome.BLOCKED,
        AccountIssue.TOO_LARGE: Outcome.FAILED,
    }
    assert outcomes(advice)[0] is other_than_held.get(issue, Outcome.HELD)
    assert str(advice.sentence[0]).startswith("Nothing was traded: ")
    assert not advice.sized.traded_micros[0].any()
    assert Outcome.REBALANCED in outcomes(advice)[1:]


def test_what_a_marked_account_claims_to_hold_changes_nothing_for_its_siblings() -> None:
    shard = some_shard()
    owners, accounts = np.unique(shard.accounts.goal[shard.accounts.goal >= 0], return_counts=True)
    poisoned = [
        int(np.flatnonzero(shard.accounts.goal == goal)[0]) for goal in owners[accounts > 1]
    ]
    assert poisoned
    issue, held = shard.accounts.issue.copy(), shard.accounts.held_micros.copy()
    issue[poisoned] = ACCOUNT_ISSUES.index(AccountIssue.TOO_LARGE)
    held[poisoned] = 0
    without = advised(valued(changed_accounts(shard, issue=issue, held_micros=held), MARKET))
    held[poisoned] = 10**16
    beside = advised(valued(changed_accounts(shard, issue=issue, held_micros=held), MARKET))
    others = np.setdiff1d(np.arange(len(issue)), poisoned)
    assert without.sized.traded_micros[others].any()
    np.testing.assert_array_equal(
        beside.sized.traded_micros[others], without.sized.traded_micros[others]
    )


def test_a_client_who_excludes_everything_is_held_and_told_why() -> None:
    shard = some_shard()
    excluded = shard.goals.excluded.copy()
    excluded[0] = True
    advice = advised(
        dataclasses.replace(shard, goals=dataclasses.replace(shard.goals, excluded=excluded))
    )
    rows = np.flatnonzero(shard.accounts.goal == 0)
    assert [outcomes(advice)[row] for row in rows] == [Outcome.HELD] * len(rows)
    assert "your wishes" in str(advice.sentence[int(rows[0])])


@pytest.mark.parametrize("has_last", [True, False])
def test_what_sizing_cannot_count_is_not_traded_even_if_nobody_marked_it(has_last: bool) -> None:
    shard = followed() if has_last else some_shard()
    cash = shard.accounts.cash_micros.copy()
    cash[0] = 3 * 10**18
    advice = advised(changed_accounts(shard, cash_micros=cash))
    assert outcomes(advice)[0] is Outcome.HELD
    assert not advice.sized.traded_micros[0].any()
    assert Outcome.HELD not in outcomes(advice)[3:]


def test_a_shard_without_accounts_has_no_advice() -> None:
    advice = advised(valued(made_shard(MARKET, 0), MARKET))
    assert len(advice.outcome) == 0
    assert len(advice.sentence) == 0


def test_accounts_of_a_market_of_one_asset_hold_it_and_cash() -> None:
    alone = make_market(
        {"AAA": instrument("AAA")}, history(daily_returns(symbols=1), ["AAA"]), POLICY
    )
    one = (Forecast("AAA", 0.02, 0.05, 0.5),)
    outlook = make_outlook(alone, RunForecasts(one, one), POLICY)
    shard = valued(made_shard(alone, 12, seed=3), alone)
    advice = advise(shard, alone, outlook, POLICY, SESSION)
    assert Outcome.REBALANCED in outcomes(advice)
    assert Outcome.FAILED not in outcomes(advice)
    paid = np.sign(advice.sized.traded_micros) * advice.sized.notional_cents
    change = advice.sized.cash_after_cents - advice.sized.cash_before_cents
    assert (change == -(paid + advice.sized.fee_cents).sum(axis=1)).all()
