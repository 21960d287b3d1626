"""Output tables of the SQL store that explain advice: forecasts, alternatives, prospects."""

from models.declaration import Table, date, integer, number, text
from models.vocabulary import AllocationView, Attribution, GoalLever

FORECAST_ATTRIBUTION = Table(
    name="forecast_attribution",
    grain=(
        "one row per run, symbol, model, horizon and feature; what the model forecasts without any "
        "feature is the feature $BASELINE, and all contributions sum to expected_log_return"
    ),
    key=("run_id", "symbol", "model_name", "horizon_sessions", "feature"),
    columns=(
        text("run_id", "the run"),
        text("symbol", "the instrument"),
        text("model_name", "registered model"),
        integer("horizon_sessions", "how far ahead", "sessions", at_least=1),
        text("feature", "column of the feature table; $OTHER: all not named; or $BASELINE"),
        integer("model_version", "version number in the registry", "count", at_least=1),
        text("method", "how the contributions were found", allowed=Attribution),
        number(
            "feature_value",
            "what the model saw; null where it was missing, and for $OTHER and $BASELINE",
            "unit of the feature",
            nullable=True,
        ),
        number("contribution_log_return", "part of the forecast", "signed log return"),
        text("unit", "unit of the contribution"),
    ),
    references={"run_id": "advice_run.run_id"},
)

COUNTERFACTUAL_TARGET = Table(
    name="counterfactual_target",
    grain=(
        "one row per run, account with a new target, and view; the view counterfactual_allocation "
        "has a row for each symbol with a weight above 0"
    ),
    key=("run_id", "account_id", "view"),
    columns=(
        text("run_id", "the run"),
        text("account_id", "the account"),
        text("view", "whose forecasts the weights follow", allowed=AllocationView),
        text(
            "weights",
            "target shares of the account's worth under that view, all else equal: billionths by "
            "symbol as JSON, $CASH included; what is not named is 0",
        ),
    ),
)

GOAL_PROJECTION = Table(
    name="goal_projection",
    grain="one row per run and goal",
    key=("run_id", "goal_id"),
    columns=(
        text("run_id", "the run"),
        text("goal_id", "the goal"),
        integer("goal_version", "version of the goal projected", "count", at_least=1),
        text("client_id", "whose goal it is"),
        number(
            "success_probability",
            "probability that the goal's accounts are worth its target at its date",
            "fraction",
            at_least=0,
            at_most=1,
        ),
        number(
            "probability_error",
            "largest error of it beside a simulation of the same assumptions",
            "fraction",
            at_least=0,
            at_most=1,
        ),
        integer("wealth_cents", "worth of the goal's accounts at the run's prices", "US cents"),
        integer(
            "planned_cash_flow_cents",
            "planned deposits less withdrawals until the target date",
            "signed US cents",
        ),
        integer("lower_worth_cents", "10 % quantile at the target date, nominal", "US cents"),
        integer("median_worth_cents", "50 % quantile at the target date, nominal", "US cents"),
        integer("upper_worth_cents", "90 % quantile at the target date, nominal", "US cents"),
        number(
            "aimed_probability",
            "probability of success that the levers below would reach",
            "fraction",
            at_least=0,
            at_most=1,
        ),
        integer(
            "extra_monthly_cents",
            "further deposit each month that would do alone; null: none is needed, or none would",
            "US cents",
            nullable=True,
            at_least=1,
        ),
        date(
            "later_target_date",
            "target date that would do alone; null: none is needed, or none would",
            nullable=True,
        ),
        integer(
            "lower_target_cents",
            "target that would do alone; null: none is needed, or none would",
            "US cents",
            nullable=True,
            at_least=0,
        ),
        integer(
            "higher_risk_score",
            "risk score that would do alone; null: none is needed, or none would",
            "1..100",
            nullable=True,
            at_least=1,
            at_most=100,
        ),
        text(
            "best_lever",
            "what would do with the least change of plan; null: none is needed, or none would",
            nullable=True,
            allowed=GoalLever,
        ),
        text("sentence", "the projection in words a client understands"),
    ),
    indexes=(("goal_id",),),
)

EXPLANATIONS = (FORECAST_ATTRIBUTION, COUNTERFACTUAL_TARGET, GOAL_PROJECTION)
