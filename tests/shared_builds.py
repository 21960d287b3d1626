"""Small builds without dbt, and lakes that several homes share, for tests of how builds travel."""

import datetime as dt
import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import boto3
import duckdb
import requests
from moto.server import ThreadedMotoServer

from pipelines.lineage import file_digest
from pipelines.settings import Settings, load_settings
from pipelines.warehouse.publication import build_name
from pipelines.warehouse.record import (
    PANEL_FOLDER,
    SESSION_FEATURES_FILE,
    WAREHOUSE_FILE,
    FeatureFile,
    WarehouseBuild,
    features_digest,
    write_record,
)
from pipelines.warehouse.settling import anchor_in

SESSION = dt.date(2022, 12, 28)
CODE = "c" * 64
_CUT = dt.datetime(2022, 12, 29, tzinfo=dt.UTC)
PARTS = {"2022-11": "november", "2022-12": "december"}


@contextmanager
def s3_server() -> Iterator[str]:
    """A server that speaks S3's protocol on a free port of loopback; yields its address."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@contextmanager
def asking_for_credentials(endpoint: str) -> Iterator[None]:
    """Let the server refuse who comes without credentials, as real ones do."""
    requests.post(f"{endpoint}/moto-api/reset-auth", data="0", timeout=10).raise_for_status()
    try:
        yield
    finally:
        requests.post(f"{endpoint}/moto-api/reset-auth", data="inf", timeout=10)


def new_bucket(endpoint: str, name: str) -> str:
    """Make a bucket; return the URL of a lake in it."""
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    bucket = hashlib.sha256(name.encode()).hexdigest()[:20]
    client.create_bucket(Bucket=bucket)
    return f"s3://{bucket}/some/prefix?endpoint_override={endpoint}&region=us-east-1"


def homes_of(folder: Path, lake_url: str) -> Callable[[str], Settings]:
    """Return a maker of homes that share a lake, by their names."""
    return lambda name: load_settings({}, home=folder / name, lake_url=lake_url)


def small_build(
    settings: Settings,
    session: dt.date = SESSION,
    manifest: str = "a" * 64,
    parts: Mapping[str, str] = PARTS,
) -> WarehouseBuild:
    """Make a finished build in a home, of parts with a row each, that nobody was told of yet."""
    name = build_name(session, manifest, CODE)
    path = settings.warehouse / "builds" / name
    (path / PANEL_FOLDER).mkdir(parents=True)
    with duckdb.connect() as making:
        for part, value in parts.items():
            file = path / PANEL_FOLDER / f"{part}.parquet"
            making.execute(f"copy (select '{value}' as word) to '{file}' (format parquet)")
        making.execute(
            f"copy (select 1 as one) to '{path / SESSION_FEATURES_FILE}' (format parquet)"
        )
    with duckdb.connect(str(path / WAREHOUSE_FILE)) as warehouse:
        warehouse.execute("set file_search_path = ?", [str(path)])
        warehouse.execute("create schema marts")
        warehouse.execute(
            f"create view marts.word as select word from read_parquet('{PANEL_FOLDER}/*.parquet')"
        )
    anchor_in(path)
    panel = tuple(_file(path / PANEL_FOLDER / f"{part}.parquet") for part in sorted(parts))
    features = _file(path / SESSION_FEATURES_FILE)
    build = WarehouseBuild(
        path=path,
        source=settings.source.value,
        session_date=session,
        known_at_cut=_CUT,
        data_snapshot=manifest,
        code_digest=CODE,
        feature_hash=features_digest([*panel, features]),
        panel=panel,
        session_features=features,
        rows={"word": len(parts)},
    )
    write_record(build, path)
    return build


def _file(path: Path) -> FeatureFile:
    return FeatureFile(path.name, file_digest(path), 1, path.stat().st_size)
