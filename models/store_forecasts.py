"""Output tables of the SQL store that speak of models: forecasts, choices, evidence, scores."""

from models.declaration import Table, boolean, date, integer, number, text, timestamp
from models.vocabulary import (
    ChoiceDecision,
    ModelRole,
    ScoredPeriod,
    Source,
)

FORECAST = Table(
    name="forecast",
    grain="one row per run, symbol, model and horizon",
    key=("run_id", "symbol", "model_name", "horizon_sessions"),
    columns=(
        text("run_id", "the run"),
        text("symbol", "the instrument"),
        text("model_name", "registered model"),
        integer("horizon_sessions", "how far ahead", "sessions", at_least=1),
        integer("model_version", "version number in the registry", "count", at_least=1),
        text("mlflow_run_id", "MLflow run that trained it"),
        number("expected_log_return", "forecast over the horizon", "log return"),
        number("stdev_log_return", "its standard error over the horizon", "log return", at_least=0),
        *(
            number(
                f"{side}_{level}_log_return",
                f"{side} end of the {level} % interval; null: it has no end, as said in words by "
                "interval_note",
                "log return",
                nullable=True,
            )
            for level in (80, 95)
            for side in ("lower", "upper")
        ),
        text("interval_note", "what to know about the intervals; empty as a rule"),
        text("unit", "unit of the forecast columns"),
        number(
            "confidence",
            "shrinkage weight the forecast earned on validation; 0 leaves the prior alone",
            "fraction",
            at_least=0,
            at_most=1,
        ),
        boolean("serves", "whether the run's allocation used this model"),
    ),
    references={"run_id": "advice_run.run_id"},
)

MODEL_CHOICE = Table(
    name="model_choice",
    grain="one row per source and session: the model that serves it",
    key=("source", "session_date"),
    columns=(
        text("source", "where market data came from", allowed=Source),
        date("session_date", "session the choice is for"),
        text("decision", "whether training ran", allowed=ChoiceDecision),
        text("role", "champion by evidence, or the best baseline", allowed=ModelRole),
        text("reason", "why, in a sentence"),
        text("model_name", "registered model that serves"),
        integer("model_version", "its version number in the registry", "count", at_least=1),
        text("mlflow_run_id", "MLflow run of that model"),
        text("training_run_id", "MLflow run of the whole training, parent of all its models"),
        date("fitted_through", "last session of the outcomes that the served model was fitted on"),
        date("trained_through", "last session that training saw, to choose or to score"),
        timestamp("decided_at", "when it was decided"),
    ),
)

MODEL_ROLLBACK = Table(
    name="model_rollback",
    grain="one row per time that a person put an earlier training back into service",
    key=("source", "decided_at"),
    columns=(
        text("source", "where market data came from", allowed=Source),
        timestamp("decided_at", "when it was decided"),
        date("from_session_date", "first session that it serves"),
        text("training_run_id", "training that serves from then on"),
        text("left_training_run_id", "training that it replaced, and all later ones before now"),
        text("decided_by", "who decided"),
        text("reason", "why, in the person's words"),
    ),
)

MODEL_EVIDENCE = Table(
    name="model_evidence",
    grain="one row per training and comparison that its choice rests on",
    key=("training_run_id", "model_name", "against", "horizon_sessions"),
    columns=(
        text("source", "where market data came from", allowed=Source),
        date("session_date", "session whose training made it"),
        text("training_run_id", "MLflow run of the whole training"),
        text("model_name", "registered model that would serve"),
        text("against", "model compared with: a baseline, or the champion (name and version)"),
        integer("horizon_sessions", "how far ahead", "sessions", at_least=1),
        date("from_session_date", "first session of the common out-of-sample forecasts"),
        date("to_session_date", "last of them"),
        integer("sessions", "sessions compared", "count", at_least=1),
        number(
            "loss_difference",
            "mean over sessions of the squared error less the other's; below 0 it is better",
            "squared log return",
        ),
        number(
            "statistic",
            "Diebold-Mariano with small-sample correction; null: too few sessions in common",
            "t value",
            nullable=True,
        ),
        number("p_value", "one-sided, that it is no better", "probability", at_least=0, at_most=1),
        number(
            "p_value_corrected",
            "the same, allowing for the number of candidates",
            "probability",
            at_least=0,
            at_most=1,
        ),
        boolean("passed", "whether it beat the other at the level required"),
    ),
)

_SHARE = {"at_least": 0.0, "at_most": 1.0}

MODEL_SCORE = Table(
    name="model_score",
    grain=(
        "one row per source, session, model, horizon and period: of the session's training, on its "
        "validation and test periods; and live, of what was realised by the session"
    ),
    key=("source", "session_date", "model_name", "horizon_sessions", "period"),
    columns=(
        text("source", "where market data came from", allowed=Source),
        date("session_date", "session that made the scores; later ones may use them"),
        text("model_name", "registered model, or `served`: what the choices would have served"),
        integer("horizon_sessions", "how far ahead", "sessions", at_least=1),
        text("period", "which forecasts are scored", allowed=ScoredPeriod),
        text("training_run_id", "MLflow run of the whole training", nullable=True),
        integer(
            "model_version", "version number in the registry", "count", nullable=True, at_least=1
        ),
        text("mlflow_run_id", "MLflow run of that model", nullable=True),
        date("period_start", "first session forecast from"),
        date("period_end", "last session forecast from"),
        integer("forecasts", "forecasts scored", "count", at_least=1),
        integer("sessions", "sessions that they were made in", "count", at_least=1),
        integer("symbols", "symbols that they are of", "count", at_least=1),
        number("mae", "mean absolute error", "log return", at_least=0),
        number("rmse", "root mean squared error", "log return", at_least=0),
        *(
            number(
                f"{error}_to_naive",
                f"{error.upper()} over that of the zero forecast; null: all outcomes are zero",
                "ratio",
                nullable=True,
                at_least=0,
            )
            for error in ("mae", "rmse")
        ),
        number(
            "r2_out_of_sample",
            "1 - MSE over that of the expanding mean",
            "fraction",
            nullable=True,
        ),
        number(
            "rank_ic",
            "mean over sessions of the rank correlation of forecasts and outcomes",
            "-1..1",
            nullable=True,
            at_least=-1,
            at_most=1,
        ),
        number("rank_ic_t", "its t value, robust to overlap", "t value", nullable=True),
        number(
            "hit_rate",
            "share of signs right; forecasts and outcomes of exactly zero are left out",
            "fraction",
            nullable=True,
            **_SHARE,
        ),
        number(
            "majority_rate",
            "share of the same outcomes with the sign that was the commoner one until then",
            "fraction",
            nullable=True,
            **_SHARE,
        ),
        number("hit_rate_t", "t value of their difference over sessions", "t value", nullable=True),
        *(
            column
            for against, words in (("naive", "zero"), ("mean", "expanding mean's"))
            for column in (
                number(
                    f"dm_{against}",
                    f"Diebold-Mariano of mean session loss against the {words} forecast, corrected "
                    "for small samples and overlap; below 0 it is better",
                    "t value",
                    nullable=True,
                ),
                number(
                    f"dm_{against}_p_value",
                    "its two-sided p value",
                    "probability",
                    nullable=True,
                    **_SHARE,
                ),
                number(
                    f"dm_{against}_p_value_apart",
                    "the same of sessions a horizon apart: the largest over where to begin",
                    "probability",
                    nullable=True,
                    **_SHARE,
                ),
            )
        ),
        integer(
            "symbols_better",
            "symbols on which it beats the zero forecast, corrected for testing all of them",
            "count",
            nullable=True,
            at_least=0,
        ),
        integer("symbols_worse", "the same, is worse", "count", nullable=True, at_least=0),
        *(
            column
            for level in (80, 95)
            for column in (
                number(
                    f"coverage_{level}",
                    f"share of outcomes inside the {level} % interval",
                    "fraction",
                    nullable=True,
                    **_SHARE,
                ),
                number(
                    f"width_{level}",
                    "mean width of the intervals that end",
                    "log return",
                    nullable=True,
                    at_least=0,
                ),
                number(
                    f"unbounded_{level}",
                    "share of intervals without an end",
                    "fraction",
                    nullable=True,
                    **_SHARE,
                ),
            )
        ),
        integer("seeds", "seeds that the model averages", "count", nullable=True, at_least=1),
        *(
            number(
                f"rmse_to_naive_seed_{which}",
                f"{which} over single seeds of the RMSE's ratio to naive",
                "ratio",
                nullable=True,
                at_least=0,
            )
            for which in ("lowest", "highest", "stdev")
        ),
        integer(
            "trials",
            "settings tried before these were chosen",
            "count",
            nullable=True,
            at_least=1,
        ),
        number("confidence", "weight earned on validation", "fraction", nullable=True, **_SHARE),
        boolean("serves", "whether this model was chosen to serve"),
    ),
)

MODEL_SYMBOL_SCORE = Table(
    name="model_symbol_score",
    grain="one row per training, model, horizon and symbol: the test period",
    key=("training_run_id", "model_name", "horizon_sessions", "symbol"),
    columns=(
        text("source", "where market data came from", allowed=Source),
        date("session_date", "session whose training made the scores"),
        text("training_run_id", "MLflow run of the whole training"),
        text("model_name", "registered model"),
        integer("horizon_sessions", "how far ahead", "sessions", at_least=1),
        text("symbol", "the instrument"),
        integer("forecasts", "forecasts scored", "count", at_least=1),
        number(
            "rmse_to_naive",
            "RMSE over that of the zero forecast; null: all outcomes are zero",
            "ratio",
            nullable=True,
            at_least=0,
        ),
        number("dm_naive", "Diebold-Mariano against the zero forecast", "t value", nullable=True),
        number("dm_naive_p_value", "two-sided p value", "probability", nullable=True, **_SHARE),
        number(
            "dm_naive_p_value_corrected",
            "the same, corrected for testing every symbol",
            "probability",
            nullable=True,
            **_SHARE,
        ),
    ),
)

MODEL_CHECK = Table(
    name="model_check",
    grain="one row per source and session: whether a new training is due, and why",
    key=("source", "session_date"),
    columns=(
        text("source", "where market data came from", allowed=Source),
        date("session_date", "session that the check was made for"),
        text("training_run_id", "training in service before; null if none", nullable=True),
        text("model_name", "model in service before; null if none", nullable=True),
        boolean("retraining_due", "whether a new training is due"),
        text("reason", "why or why not, in a sentence"),
        integer("age_sessions", "sessions since the training's last", "sessions", nullable=True),
        integer(
            "realised_sessions",
            "sessions whose forecasts for the optimiser's horizon are realised, of the last 252",
            "count",
            nullable=True,
            at_least=0,
        ),
        number("rolling_rmse_to_naive", "their RMSE over that of zero", "ratio", nullable=True),
        number(
            "rolling_skill_p_value",
            "one-sided p value that the model is no worse than the expanding mean",
            "probability",
            nullable=True,
            **_SHARE,
        ),
        number("rolling_coverage_80", "share inside", "fraction", nullable=True, **_SHARE),
        number(
            "coverage_80_lowest",
            "what a share of 80 % may fall to by chance, allowing for overlap",
            "fraction",
            nullable=True,
            **_SHARE,
        ),
        number("coverage_80_highest", "what it may rise to", "fraction", nullable=True, **_SHARE),
        integer(
            "drifted_features",
            "features whose last 63 sessions differ from training's",
            "count",
            nullable=True,
            at_least=0,
        ),
        text("most_drifted_feature", "the one that differs most", nullable=True),
        number(
            "largest_drift", "its population stability index", "index", nullable=True, at_least=0
        ),
    ),
)

FORECASTS = (
    FORECAST,
    MODEL_CHOICE,
    MODEL_ROLLBACK,
    MODEL_EVIDENCE,
    MODEL_SCORE,
    MODEL_SYMBOL_SCORE,
    MODEL_CHECK,
)
