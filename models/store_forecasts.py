"""Output tables of the SQL store that say what models forecast, which one serves, and why."""

from models.declaration import Table, boolean, date, integer, number, text, timestamp
from models.vocabulary import ChoiceDecision, ModelRole, Source

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
        number(
            "validation_rmse",
            "the model's root mean squared error on validation, as known when the forecast was "
            "made; null: it had none",
            "log return",
            nullable=True,
            at_least=0,
        ),
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
        text(
            "method",
            "digest of plan and code when it was decided; another one makes a training due. Null: "
            "made by a release that did not keep it",
            nullable=True,
        ),
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

FORECASTS = (FORECAST, MODEL_CHOICE, MODEL_ROLLBACK, MODEL_EVIDENCE)
