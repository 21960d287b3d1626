"""Let forecasts have two intervals, choices a role and evidence, and scores the honest table.

What is stored is carried over: the one interval there was is that of 80 %, the scores there were
are of the test period, and a model that needed no learning served as a baseline.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

Part: TypeAlias = Callable[[str], list[sa.schema.SchemaItem]]
"""Makes a column and its checks, given the table's name."""

_SOURCES = ("sample", "yahoo", "files", "simulated")
_FORECAST_INTERVALS = ("lower_80", "upper_80", "lower_95", "upper_95")


def upgrade() -> None:
    """Make the changed tables anew, rows and all, on both databases; add the new ones."""
    op.execute("DROP VIEW current_forecast")
    _replace(_forecast, _FORECAST_BEFORE)
    _replace(_forecast_attribution, {})
    _replace(_model_choice, _MODEL_CHOICE_BEFORE)
    _replace(_model_score, _MODEL_SCORE_BEFORE)
    for create in (_model_rollback, _model_evidence, _model_symbol_score, _model_check):
        create()
    op.execute(f"CREATE VIEW current_forecast AS {_CURRENT_FORECAST}")


_CURRENT_FORECAST = """
    SELECT forecast.* FROM forecast
    WHERE forecast.run_id = (
        SELECT run_id FROM advice_run WHERE status = 'published'
        ORDER BY session_date DESC, published_at DESC LIMIT 1
    )
"""

_FORECAST_BEFORE = {
    "lower_80_log_return": "lower_log_return",
    "upper_80_log_return": "upper_log_return",
    "lower_95_log_return": "NULL",
    "upper_95_log_return": "NULL",
    "interval_note": "'made before intervals of 95 % were'",
}
_MODEL_CHOICE_BEFORE = {
    "role": "CASE model_name WHEN 'smartinvest-lstm' THEN 'champion' ELSE 'baseline' END",
    "method": "NULL",
}
_MODEL_SCORE_BEFORE = {
    "period": "'test'",
    "period_start": "test_start",
    "period_end": "test_end",
    **dict.fromkeys(
        (
            "sessions",
            "symbols",
            "rank_ic",
            "rank_ic_t",
            "hit_rate",
            "majority_rate",
            "hit_rate_t",
            *(
                f"dm_{against}{what}"
                for against in ("naive", "mean")
                for what in ("", "_p_value", "_p_value_apart")
            ),
            "symbols_better",
            "symbols_worse",
            "width_80",
            "unbounded_80",
            "coverage_95",
            "width_95",
            "unbounded_95",
            "seeds",
            *(f"rmse_to_naive_seed_{which}" for which in ("lowest", "highest", "stdev")),
            "trials",
        ),
        "NULL",
    ),
}


def _replace(create: Callable[[], sa.Table], before: Mapping[str, str]) -> None:
    """Make a table anew under its name; ``before`` says what columns were, if not themselves.

    Its rows never leave the database: there may be millions.
    """
    name = create.__name__.removeprefix("_")
    kept = f"{name}_of_0005"
    op.execute(f"CREATE TABLE {kept} AS SELECT * FROM {name}")
    op.drop_table(name)
    columns = [column.name for column in create().columns]
    values = ", ".join(before.get(column, column) for column in columns)
    op.execute(f"INSERT INTO {name} ({', '.join(columns)}) SELECT {values} FROM {kept}")
    op.drop_table(kept)


def _forecast() -> sa.Table:
    return _create(
        "forecast",
        ("run_id", "symbol", "model_name", "horizon_sessions"),
        _text("run_id"),
        _text("symbol"),
        _text("model_name"),
        _integer("horizon_sessions", at_least=1),
        _integer("model_version", at_least=1),
        _text("mlflow_run_id"),
        _number("expected_log_return"),
        _number("stdev_log_return", at_least=0),
        *(_number(f"{end}_log_return", nullable=True) for end in _FORECAST_INTERVALS),
        _text("interval_note"),
        _text("unit"),
        _number("confidence", at_least=0, at_most=1),
        _boolean("serves"),
        _reference("run_id", "advice_run.run_id"),
    )


def _forecast_attribution() -> sa.Table:
    return _create(
        "forecast_attribution",
        ("run_id", "symbol", "model_name", "horizon_sessions", "feature"),
        _text("run_id"),
        _text("symbol"),
        _text("model_name"),
        _integer("horizon_sessions", at_least=1),
        _text("feature"),
        _integer("model_version", at_least=1),
        _text(
            "method",
            allowed=("linear_terms", "integrated_gradients", "shapley_values", "average"),
        ),
        _number("feature_value", nullable=True),
        _number("contribution_log_return"),
        _text("unit"),
        _reference("run_id", "advice_run.run_id"),
    )


def _model_choice() -> sa.Table:
    return _create(
        "model_choice",
        ("source", "session_date"),
        _text("source", allowed=_SOURCES),
        _date("session_date"),
        _text("decision", allowed=("retrained", "kept", "rolled_back")),
        _text("role", allowed=("champion", "baseline")),
        _text("reason"),
        _text("model_name"),
        _integer("model_version", at_least=1),
        _text("mlflow_run_id"),
        _text("training_run_id"),
        _text("method", nullable=True),
        _date("fitted_through"),
        _date("trained_through"),
        _moment("decided_at"),
    )


def _model_rollback() -> sa.Table:
    return _create(
        "model_rollback",
        ("source", "decided_at"),
        _text("source", allowed=_SOURCES),
        _moment("decided_at"),
        _date("from_session_date"),
        _text("training_run_id"),
        _text("left_training_run_id"),
        _text("decided_by"),
        _text("reason"),
    )


def _model_evidence() -> sa.Table:
    return _create(
        "model_evidence",
        ("training_run_id", "model_name", "against", "horizon_sessions"),
        _text("source", allowed=_SOURCES),
        _date("session_date"),
        _text("training_run_id"),
        _text("model_name"),
        _text("against"),
        _integer("horizon_sessions", at_least=1),
        _date("from_session_date"),
        _date("to_session_date"),
        _integer("sessions", at_least=1),
        _number("loss_difference"),
        _number("statistic", nullable=True),
        _number("p_value", at_least=0, at_most=1),
        _number("p_value_corrected", at_least=0, at_most=1),
        _boolean("passed"),
    )


def _model_score() -> sa.Table:
    return _create(
        "model_score",
        ("source", "session_date", "model_name", "horizon_sessions", "period"),
        _text("source", allowed=_SOURCES),
        _date("session_date"),
        _text("model_name"),
        _integer("horizon_sessions", at_least=1),
        _text("period", allowed=("validation", "test", "live")),
        _text("training_run_id", nullable=True),
        _integer("model_version", nullable=True, at_least=1),
        _text("mlflow_run_id", nullable=True),
        _date("period_start"),
        _date("period_end"),
        _integer("forecasts", at_least=1),
        _integer("sessions", nullable=True, at_least=1),
        _integer("symbols", nullable=True, at_least=1),
        _number("mae", at_least=0),
        _number("rmse", at_least=0),
        _number("mae_to_naive", nullable=True, at_least=0),
        _number("rmse_to_naive", nullable=True, at_least=0),
        _number("r2_out_of_sample", nullable=True),
        _number("rank_ic", nullable=True, at_least=-1, at_most=1),
        _number("rank_ic_t", nullable=True),
        _share("hit_rate"),
        _share("majority_rate"),
        _number("hit_rate_t", nullable=True),
        *(
            part
            for against in ("naive", "mean")
            for part in (
                _number(f"dm_{against}", nullable=True),
                _share(f"dm_{against}_p_value"),
                _share(f"dm_{against}_p_value_apart"),
            )
        ),
        _integer("symbols_better", nullable=True, at_least=0),
        _integer("symbols_worse", nullable=True, at_least=0),
        *(
            part
            for level in (80, 95)
            for part in (
                _share(f"coverage_{level}"),
                _number(f"width_{level}", nullable=True, at_least=0),
                _share(f"unbounded_{level}"),
            )
        ),
        _integer("seeds", nullable=True, at_least=1),
        *(
            _number(f"rmse_to_naive_seed_{which}", nullable=True, at_least=0)
            for which in ("lowest", "highest", "stdev")
        ),
        _integer("trials", nullable=True, at_least=1),
        _share("confidence"),
        _boolean("serves"),
    )


def _model_symbol_score() -> sa.Table:
    return _create(
        "model_symbol_score",
        ("training_run_id", "model_name", "horizon_sessions", "symbol"),
        _text("source", allowed=_SOURCES),
        _date("session_date"),
        _text("training_run_id"),
        _text("model_name"),
        _integer("horizon_sessions", at_least=1),
        _text("symbol"),
        _integer("forecasts", at_least=1),
        _number("rmse_to_naive", nullable=True, at_least=0),
        _number("dm_naive", nullable=True),
        _share("dm_naive_p_value"),
        _share("dm_naive_p_value_corrected"),
    )


def _model_check() -> sa.Table:
    return _create(
        "model_check",
        ("source", "session_date"),
        _text("source", allowed=_SOURCES),
        _date("session_date"),
        _text("training_run_id", nullable=True),
        _text("model_name", nullable=True),
        _boolean("retraining_due"),
        _text("reason"),
        _integer("age_sessions", nullable=True),
        _integer("realised_sessions", nullable=True, at_least=0),
        _number("rolling_rmse_to_naive", nullable=True),
        _share("rolling_skill_p_value"),
        _share("rolling_coverage_80"),
        _share("coverage_80_lowest"),
        _share("coverage_80_highest"),
        _integer("drifted_features", nullable=True, at_least=0),
        _text("most_drifted_feature", nullable=True),
        _number("largest_drift", nullable=True, at_least=0),
    )


def _create(name: str, key: tuple[str, ...], *parts: Part) -> sa.Table:
    items = [item for part in parts for item in part(name)]
    return op.create_table(name, *items, sa.PrimaryKeyConstraint(*key, name=f"pk_{name}"))


def _text(name: str, *, nullable: bool = False, allowed: tuple[str, ...] = ()) -> Part:
    words = ", ".join(f"'{word}'" for word in allowed)
    checks = {"allowed": f"{name} IN ({words})"} if allowed else {}
    return _column(name, sa.Text(), nullable, checks)


def _date(name: str) -> Part:
    return _column(name, sa.Date(), False, {})


def _moment(name: str) -> Part:
    return _column(name, sa.DateTime(timezone=True), False, {})


def _boolean(name: str) -> Part:
    checks = {"boolean": sa.column(name).in_([sa.false(), sa.true()])}
    return _column(name, sa.Boolean(), False, checks)


def _integer(name: str, *, nullable: bool = False, at_least: int | None = None) -> Part:
    checks = {} if at_least is None else {"at_least": f"{name} >= {at_least}"}
    return _column(name, sa.BigInteger(), nullable, checks)


def _number(
    name: str,
    *,
    nullable: bool = False,
    at_least: float | None = None,
    at_most: float | None = None,
) -> Part:
    checks = {}
    if at_least is not None:
        checks["at_least"] = f"{name} >= {at_least}"
    if at_most is not None:
        checks["at_most"] = f"{name} <= {at_most}"
    checks["finite"] = f"{name} > -1e308 AND {name} < 1e308"
    return _column(name, sa.Double(), nullable, checks)


def _share(name: str) -> Part:
    return _number(name, nullable=True, at_least=0.0, at_most=1.0)


def _column(name: str, kind: Any, nullable: bool, checks: Mapping[str, Any]) -> Part:
    def part(table: str) -> list[sa.schema.SchemaItem]:
        named = [
            sa.CheckConstraint(condition, name=f"ck_{table}_{name}_{rule}")
            for rule, condition in checks.items()
        ]
        return [sa.Column(name, kind, nullable=nullable), *named]

    return part


def _reference(name: str, target: str) -> Part:
    def part(table: str) -> list[sa.schema.SchemaItem]:
        return [sa.ForeignKeyConstraint([name], [target], name=f"fk_{table}_{name}")]

    return part
