"""Output tables of the SQL store: runs, their shards, and the files that they were made from."""

from models.declaration import Table, date, integer, text, timestamp
from models.vocabulary import RunStatus, ShardStatus, Source

ADVICE_RUN = Table(
    name="advice_run",
    grain="one row per run",
    key=("run_id",),
    columns=(
        text("run_id", "digest of everything that determines the run"),
        text("source", "where market data came from", allowed=Source),
        date("session_date", "exchange session the run advises on"),
        text("status", "readers see published runs only", allowed=RunStatus),
        text("data_snapshot", "digest of the manifest of market data and client inputs"),
        text("feature_hash", "digest of the feature table that forecasts were made from"),
        text("model_name", "registered model whose forecasts served"),
        integer("model_version", "its version number in the registry", "count", at_least=1),
        text("mlflow_run_id", "MLflow run that trained it"),
        text("config_hash", "digest of the settings that change results"),
        text("history_hash", "digest of the runs then published for earlier sessions"),
        text("code_version", "release and digest of the code"),
        timestamp("started_at", "when the run was begun"),
        timestamp("published_at", "when readers could see it", nullable=True),
        text("supersedes", "run that this one replaces", nullable=True),
    ),
    references={"supersedes": "advice_run.run_id"},
    indexes=(("session_date", "status"),),
)

ADVICE_SHARD = Table(
    name="advice_shard",
    grain="one row per run and shard: some clients' accounts, written together",
    key=("run_id", "shard"),
    columns=(
        text("run_id", "the run"),
        integer("shard", "number of the shard", "count", at_least=0),
        text("status", "whether its rows are there", allowed=ShardStatus),
        integer(
            "accounts_per_shard",
            "where the run's shards were cut, which decides on what this number stands for",
            "count",
            at_least=1,
        ),
        integer("accounts", "accounts advised on", "count", at_least=0),
        integer("trades", "trades proposed", "count", at_least=0),
        text(
            "inputs_digest",
            "SHA-256 of everything that was known of its accounts; with others it is written anew",
        ),
        text(
            "digest",
            "SHA-256 of all its rows, in the order of their keys; null: it failed",
            nullable=True,
        ),
        timestamp("written_at", "when its rows were written"),
    ),
    references={"run_id": "advice_run.run_id"},
)

RUN_OUTLOOK = Table(
    name="run_outlook",
    grain="one row per run that is being advised on; gone once it is published",
    key=("run_id",),
    columns=(
        text("run_id", "the run"),
        text("outlook", "its risk and returns as JSON, with all digits of each number"),
        timestamp("estimated_at", "when they were estimated"),
    ),
    references={"run_id": "advice_run.run_id"},
)

SNAPSHOT_FILE = Table(
    name="snapshot_file",
    grain="one row per snapshot and file",
    key=("data_snapshot", "path"),
    columns=(
        text("data_snapshot", "digest of the manifest that lists the file"),
        text("path", "path inside the lake"),
        text("digest", "SHA-256 of the file's bytes"),
        integer("rows", "rows in the file", "count", at_least=0),
    ),
)
