"""A lake in a bucket, over real HTTP on loopback: the same files and answers as in a folder."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from lake_examples import DAYS, RULES, append, as_of, bars, index, lake_of
from moto.server import ThreadedMotoServer

from models.lake import INSTRUMENTS, PRICES, UNIVERSE
from pipelines.errors import LakeError, SettingError
from pipelines.lake import (
    build_manifest,
    compact,
    dataset_files,
    local_copy,
    mark_checked,
    read_manifest,
    storage,
    write_manifest,
)
from pipelines.settings import Settings
from pipelines.warehouse.base import full_plan, rejections_of
from pipelines.warehouse.changes import Inputs
from pipelines.warehouse.inputs import lay_out

BUCKET = "lake"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """A server that speaks S3's protocol on a free port of loopback."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def remote(endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
    bucket = hashlib.sha256(str(tmp_path).encode()).hexdigest()[:20]
    client.create_bucket(Bucket=bucket)
    url = f"s3://{bucket}/some/prefix?endpoint_override={endpoint}&region=us-east-1"
    return lake_of(tmp_path / "remote", url)


def fill(home: Settings) -> None:
    append(home, DAYS[1], bars((symbol, day, 1.0) for symbol in "AB" for day in DAYS[:2]))
    append(home, DAYS[1], bars([("A", DAYS[0], 2.0)]))
    append(home, DAYS[1], index(DAYS[1]), table=INSTRUMENTS)
    mark_checked(home, PRICES, RULES, DAYS[1], dataset_files(home, PRICES))


def test_a_bucket_holds_the_same_files_as_a_folder(remote: Settings, tmp_path: Path) -> None:
    local = lake_of(tmp_path / "local")
    for home in (local, remote):
        fill(home)
    assert storage(remote).files("raw", ".parquet") == storage(local).files("raw", ".parquet")
    assert storage(remote).files("checks", ".json") == storage(local).files("checks", ".json")
    for session in DAYS[:2]:
        assert as_of(remote, session, None) == as_of(local, session, None)
    snapshots = {build_manifest(home, DAYS[1], []).data_snapshot for home in (local, remote)}
    assert len(snapshots) == 1


def test_a_compaction_in_a_bucket_changes_no_snapshot(remote: Settings) -> None:
    fill(remote)
    manifest = build_manifest(remote, DAYS[1], [])
    write_manifest(remote, manifest)
    assert compact(remote).files_read == 2
    assert compact(remote).files_removed == 2
    assert build_manifest(remote, DAYS[1], []) == manifest
    assert read_manifest(remote, manifest.data_snapshot) == manifest


def test_a_build_links_to_copies_that_were_proved(remote: Settings, tmp_path: Path) -> None:
    fill(remote)
    manifest = build_manifest(remote, DAYS[1], [])
    inputs = Inputs(manifest, rejections_of(remote, manifest))
    lay_out(remote, inputs, full_plan(), tmp_path / "workspace")
    links = sorted((tmp_path / "workspace" / "inputs" / PRICES.name).iterdir())
    assert [hashlib.sha256(link.read_bytes()).hexdigest() for link in links] == [
        file.digest for file in manifest.files if file.path.startswith("raw/prices/")
    ]
    assert all(link.resolve().is_relative_to(remote.home) for link in links)


def test_a_spoiled_copy_is_fetched_again(remote: Settings) -> None:
    fill(remote)
    path = dataset_files(remote, PRICES)[0]
    copy = local_copy(remote, path)
    whole = copy.read_bytes()
    copy.write_bytes(b"spoiled")
    assert local_copy(remote, path).read_bytes() == whole


def test_an_object_that_was_changed_is_noticed(remote: Settings) -> None:
    fill(remote)
    path = dataset_files(remote, PRICES)[0]
    storage(remote).write(path, b"somebody else's")
    with pytest.raises(LakeError, match="bytes changed"):
        build_manifest(remote, DAYS[1], [])


def test_a_bucket_that_does_not_exist_is_named_without_credentials(
    remote: Settings, endpoint: str, tmp_path: Path
) -> None:
    url = f"s3://key:secret@no-such-bucket/lake?endpoint_override={endpoint}&region=us-east-1"
    home = lake_of(tmp_path / "other", url)
    with pytest.raises(LakeError, match="no-such-bucket/lake/raw") as error:
        append(home, DAYS[0], bars([("A", DAYS[0], 1.0)]))
    assert "secret" not in str(error.value)


def test_a_url_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"ftp:// is no place for a lake"):
        dataset_files(lake_of(tmp_path, "ftp://host/lake"), UNIVERSE)


def test_a_lake_may_lie_in_any_folder(tmp_path: Path) -> None:
    home = lake_of(tmp_path / "home", str(tmp_path / "elsewhere"))
    append(home, DAYS[0], bars([("A", DAYS[0], 1.0)]))
    assert (tmp_path / "elsewhere" / dataset_files(home, PRICES)[0]).is_file()
    assert home.lake == tmp_path / "elsewhere"
