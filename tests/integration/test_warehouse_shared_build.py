"""Whole builds by dbt on machines that share a bucket and a store, and nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from shared_builds import new_bucket, s3_server
from warehouse_inputs import SESSION, change_answers, make_home

from pipelines.build_results import attempt_of_build
from pipelines.lake import storage
from pipelines.settings import Settings, load_settings
from pipelines.warehouse import build_for, connect, transform, verify


@pytest.fixture
def machines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Settings, Settings]]:
    """Two homes that share a lake in a bucket and a store."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    made = make_home(tmp_path / "made")
    with s3_server() as endpoint:
        url = new_bucket(endpoint, str(tmp_path))
        one, other = (
            load_settings({}, home=tmp_path / name, lake_url=url, store_url=made.store_url)
            for name in ("one", "other")
        )
        for file in made.lake.rglob("*"):
            if file.is_file():
                storage(one).upload(file, file.relative_to(made.lake).as_posix())
        yield one, other


@pytest.mark.long
def test_any_machine_reads_and_goes_on_from_what_another_has_built(
    machines: tuple[Settings, Settings],
) -> None:
    one, other = machines
    built = transform(one, SESSION)

    read = build_for(other, SESSION)
    verify(read)
    assert (read.feature_hash, read.rows, read.panel) == (
        built.feature_hash,
        built.rows,
        built.panel,
    )
    with connect(built.path) as here, connect(read.path) as there:
        [answers, others] = (
            warehouse.sql("select * from price order by symbol, session_date").fetchall()
            for warehouse in (here, there)
        )
    assert answers == others
    attempt = attempt_of_build(other, SESSION, built.path.name)
    assert attempt is not None
    assert attempt.nodes

    # The inputs are as they were: nothing is built, on whatever machine.
    assert transform(other, SESSION).path == read.path
    change_answers(other, "ada", version=2, max_loss_percent=10)
    changed = transform(other, SESSION)
    assert changed.base == built.path.name
    assert build_for(one, SESSION).path.name == changed.path.name
