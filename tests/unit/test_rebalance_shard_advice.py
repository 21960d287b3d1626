"""What must hold for the advice of any shard, and what single changes make of it."""

import dataclasses

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from shard_examples import changed_accounts, made_shard, of_clients, valued
from shard_market import (
    MARKET,
    OUTLOOK,
    advised,
    filled,
    followed,
    lots_of_trades,
    outcomes,
    outlook_of,
    some_shard,
    without_lots,
)

from models.vocabulary import AllocationView, NoTrade, Outcome, Trigger
from pipelines.rebalance.advice import ShardAdvice
from pipelines.rebalance.inputs.shard import Shard
from pipelines.rebalance.policy import POLICY
from pipelines.rebalance.reasons.paths import CAUSE_NAMES

TRIGGERS, NO_TRADES = tuple(Trigger), tuple(NoTrade)

shards = st.builds(
    lambda seed, clients: valued(made_shard(MARKET, clients, seed), MARKET),
    st.integers(0, 2**32 - 1),
    st.integers(1, 3),
)


def triggers(advice: ShardAdvice) -> list[Trigger]:
    return [TRIGGERS[number] for number in advice.trigger.tolist()]


def check_sums(shard: Shard) -> None:
    advice = advised(shard)
    traded = advice.sized.traded_micros[np.nonzero(advice.sized.traded_micros)]
    causes = advice.reasons.causes_micros
    assert causes.sum(axis=1).tolist() == traded.tolist()
    assert (np.abs(causes[:, CAUSE_NAMES.index("rounding")]) <= lots_of_trades(advice)).all()
    assert advice.reasons.is_complete.tolist() == [1] * len(traded)
    assert len(advice.reasons.sentence) == len(traded)


def check_outcomes(shard: Shard) -> None:
    advice = advised(shard)
    sized, accounts = advice.sized, shard.accounts
    signed = np.sign(sized.traded_micros) * sized.notional_cents + sized.fee_cents
    assert (sized.cash_before_cents - signed.sum(axis=1) == sized.cash_after_cents).all()
    assert (accounts.held_micros + sized.traded_micros >= 0).all()
    trades = np.count_nonzero(sized.traded_micros, axis=1)
    for outcome, trigger, count in zip(
        outcomes(advice), triggers(advice), trades.tolist(), strict=True
    ):
        assert (count > 0) == (outcome is Outcome.REBALANCED) or outcome is Outcome.RELAXED
        assert count == 0 or trigger is not Trigger.NONE
    assert (np.isnan(advice.drift) == (advice.targets.account_nanos[:, -1] < 0)).all()
    assert all(text.endswith(".") for text in advice.sentence.to_pylist())


@settings(max_examples=150, deadline=None)
@given(shards)
def test_causes_sum_to_the_signed_quantity_and_rounding_is_at_most_a_lot(shard: Shard) -> None:
    check_sums(shard)


@settings(max_examples=100, deadline=None)
@given(shards)
def test_outcomes_fit_what_is_traded_and_cash_adds_up(shard: Shard) -> None:
    check_outcomes(shard)


@pytest.mark.long
@settings(max_examples=10_000, deadline=None)
@given(shards)
def test_sums_and_outcomes_hold_for_ten_thousand_shards(shard: Shard) -> None:
    check_sums(shard)
    check_outcomes(shard)


@settings(max_examples=60, deadline=None)
@given(shards)
@example(valued(made_shard(MARKET, 1, 43764145), MARKET))  # one share is a fifth of its worth
def test_once_its_trades_are_filled_an_account_does_not_trade_again(shard: Shard) -> None:
    again = advised(filled(advised(without_lots(shard))))
    assert np.argwhere(again.sized.traded_micros).tolist() == []


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 3))
def test_advice_depends_on_the_clients_own_rows_alone(seed: int, client: int) -> None:
    many = valued(made_shard(MARKET, 4, seed), MARKET)
    whole, part = advised(many), advised(of_clients(many, [client]))
    name = part.shard.accounts.client_id[0]
    rows = np.array([one == name for one in many.accounts.client_id])
    goals = np.array([one == name for one in many.goals.client_id])
    account, _ = np.nonzero(whole.sized.traded_micros)
    trades = rows[account]
    pairs = [
        (whole.sized.traded_micros[rows], part.sized.traded_micros),
        (whole.targets.account_nanos[rows], part.targets.account_nanos),
        (whole.views.account_nanos[:, rows], part.views.account_nanos),
        (whole.solutions.weights[goals], part.solutions.weights),
        (whole.reasons.causes_micros[trades], part.reasons.causes_micros),
        (whole.drift[rows], part.drift),
        (whole.outcome[rows], part.outcome),
    ]
    for mine, alone in pairs:
        assert np.ascontiguousarray(mine).tobytes() == np.ascontiguousarray(alone).tobytes()
    assert [text for text, own in zip(whole.sentence.to_pylist(), rows, strict=True) if own] == (
        part.sentence.to_pylist()
    )


def test_without_confidence_advice_is_that_without_any_view() -> None:
    doubted = advised(some_shard(), outlook_of(0.0))
    forecast = CAUSE_NAMES.index("forecast")
    assert not doubted.reasons.causes_micros[:, forecast].any()
    for view in doubted.views.nanos:
        assert view.tobytes() == doubted.targets.goal_nanos.tobytes()
    believed = advised(some_shard())
    none = tuple(AllocationView).index(AllocationView.NONE)
    assert believed.views.nanos[none].tobytes() == doubted.targets.goal_nanos.tobytes()
    assert believed.reasons.causes_micros[:, forecast].any()


def test_the_view_that_serves_has_the_targets_of_the_run() -> None:
    advice = advised(some_shard())
    lstm, averages, _ = advice.views.nanos
    assert lstm.tobytes() == advice.targets.goal_nanos.tobytes()
    assert averages.tobytes() != advice.targets.goal_nanos.tobytes()


def test_first_advice_has_no_part_of_drift_or_cash() -> None:
    shard = some_shard()
    nobody = np.full_like(shard.accounts.last_nanos, -1)
    advice = advised(changed_accounts(shard, last_nanos=nobody))
    assert set(triggers(advice)) == {Trigger.FIRST_ADVICE}
    for cause in ("drift", "cash_flow"):
        assert not advice.reasons.causes_micros[:, CAUSE_NAMES.index(cause)].any()


def test_accounts_at_their_target_are_left_alone() -> None:
    advice = advised(followed())
    assert set(triggers(advice)) == {Trigger.NONE}
    assert set(outcomes(advice)) <= {Outcome.WITHIN_BAND, Outcome.RELAXED}
    assert not advice.targets.is_new.any()
    assert advice.targets.account_nanos.tobytes() == advice.shard.accounts.last_nanos.tobytes()


def test_a_deposit_only_buys_and_all_of_it_is_because_of_cash() -> None:
    shard = followed()
    deposit = shard.accounts.wealth_cents * 3 // 100
    advice = advised(
        changed_accounts(
            shard,
            cash_micros=shard.accounts.cash_micros + deposit * 10_000,
            new_cash_cents=deposit,
        )
    )
    assert (advice.sized.traded_micros >= 0).all()
    assert (advice.sized.traded_micros > 0).any()
    assert not advice.targets.is_new.any()
    others = [CAUSE_NAMES.index(cause) for cause in CAUSE_NAMES if cause != "cash_flow"]
    others.remove(CAUSE_NAMES.index("rounding"))
    assert not advice.reasons.causes_micros[:, others].any()


def test_an_account_that_was_traded_lately_waits_and_says_so() -> None:
    shard = followed()
    accounts = shard.accounts
    drifted = accounts.held_micros.copy()
    drifted[np.arange(len(drifted)), accounts.value_cents.argmax(axis=1)] *= 3
    moved = valued(changed_accounts(shard, held_micros=drifted), MARKET)
    lately = np.zeros_like(accounts.sessions_since_trade)
    waiting = advised(changed_accounts(moved, sessions_since_trade=lately))
    is_off = (waiting.sized.no_trade == NO_TRADES.index(NoTrade.COOLDOWN)).any(axis=1)
    assert is_off.any()
    assert all("traded lately" in str(waiting.sentence[row]) for row in np.flatnonzero(is_off))
    later = advised(moved)
    assert [triggers(later)[row] for row in np.flatnonzero(is_off)] == [
        Trigger.DRIFT
    ] * is_off.sum()
    drift = later.reasons.causes_micros[:, CAUSE_NAMES.index("drift")]
    assert drift.any()


def test_what_cannot_be_verified_is_not_traded() -> None:
    strict = dataclasses.replace(POLICY, kkt_tolerance=-1.0)
    advice = advised(some_shard(), policy=strict)
    assert set(outcomes(advice)) == {Outcome.FAILED}
    assert not advice.sized.traded_micros.any()
    assert (advice.views.nanos == -1).all()


def test_a_step_that_cannot_be_solved_counts_with_the_next_one() -> None:
    broken = dataclasses.replace(
        OUTLOOK, long_run_prior=np.full_like(OUTLOOK.long_run_prior, np.nan)
    )
    advice, sound = advised(some_shard(), broken), advised(some_shard())
    assert advice.sized.traded_micros.tobytes() == sound.sized.traded_micros.tobytes()
    assert not advice.reasons.is_complete.any()
    causes = advice.reasons.causes_micros
    skipped = [CAUSE_NAMES.index(cause) for cause in ("profile", "constraints")]
    together = [*skipped, CAUSE_NAMES.index("risk_model")]
    assert not causes[:, skipped].any()
    assert (
        causes[:, CAUSE_NAMES.index("risk_model")]
        == sound.reasons.causes_micros[:, together].sum(axis=1)
    ).all()
