"""Locks among machines: two homes with one lake and one PostgreSQL store keep apart."""

import threading
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from lake_examples import DAYS, append, bars

from pipelines.errors import StoreError
from pipelines.lake import sole_writer
from pipelines.settings import Settings, load_settings
from pipelines.store import held_among_machines
from pipelines.warehouse.workspace import sole_builder


@pytest.fixture
def two_homes(tmp_path: Path, empty_postgresql_url: str) -> tuple[Settings, Settings]:
    one, other = (
        load_settings(
            {},
            home=tmp_path / name,
            source="simulated",
            store_url=empty_postgresql_url,
            lake_url=str(tmp_path / "shared"),
        )
        for name in ("one", "other")
    )
    return one, other


def test_another_machine_waits_and_then_says_who_holds_the_name(
    two_homes: tuple[Settings, Settings],
) -> None:
    one, other = two_homes
    with (
        held_among_machines(one, "training-sample") as is_held,
        pytest.raises(StoreError, match=r"training-sample.*since 2.* has held it for"),
        held_among_machines(other, "training-sample", patience_s=0.1),
    ):
        raise AssertionError("held twice")
    assert is_held
    with held_among_machines(other, "training-sample", patience_s=5) as is_held:
        assert is_held


def test_names_do_not_wait_for_each_other(two_homes: tuple[Settings, Settings]) -> None:
    one, other = two_homes
    with held_among_machines(one, "lake-sample"), held_among_machines(other, "lake-yahoo", 0.1):
        pass


def test_writers_of_one_lake_wait_though_their_homes_share_nothing(
    two_homes: tuple[Settings, Settings],
) -> None:
    one, other = two_homes
    written = threading.Event()

    def write() -> None:
        append(other, DAYS[0], bars([("A", DAYS[0], 1.0)]))
        written.set()

    with sole_writer(one):
        waiting = threading.Thread(target=write)
        waiting.start()
        assert not written.wait(0.5)
    waiting.join(60)
    assert written.is_set()


def test_builders_of_one_lake_wait_though_their_homes_share_nothing(
    two_homes: tuple[Settings, Settings],
) -> None:
    one, other = two_homes
    built = threading.Event()

    def build() -> None:
        with sole_builder(other):
            built.set()

    with sole_builder(one):
        waiting = threading.Thread(target=build)
        waiting.start()
        assert not built.wait(0.5)
    waiting.join(60)
    assert built.is_set()


def test_a_lock_that_the_server_let_go_is_told_and_ends_nothing(
    two_homes: tuple[Settings, Settings], caplog: pytest.LogCaptureFixture
) -> None:
    one, other = two_homes
    with held_among_machines(one, "lake-sample"):
        url = sa.make_url(one.store_url).set(drivername="postgresql")
        with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as server:
            server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        with held_among_machines(other, "lake-sample", patience_s=5):
            pass
    assert "lake-sample was lost while it was held" in caplog.text


def test_a_home_of_its_own_and_sqlite_hold_nothing(tmp_path: Path) -> None:
    own = load_settings({}, home=tmp_path)
    on_sqlite = load_settings({}, home=tmp_path, lake_url=str(tmp_path / "shared"))
    for settings in (own, on_sqlite):
        with held_among_machines(settings, "lake-sample") as is_held:
            assert not is_held
