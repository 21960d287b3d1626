"""Output tables of the SQL store that say how good forecasts were, and whether to train anew."""

from models.declaration import Table, boolean, date, integer, number, text
from models.vocabulary import ScoredPeriod, Source

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
        integer(
            "sessions",
            "sessions that they were made in; null: made before it was kept",
            "count",
            nullable=True,
            at_least=1,
        ),
        integer("symbols", "symbols that they are of", "count", nullable=True, at_least=1),
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

SCORES = (MODEL_SCORE, MODEL_SYMBOL_SCORE, MODEL_CHECK)
