"""Builds in a lake that machines share, a bucket or a folder: handed over, fetched, never mixed."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from shared_builds import (
    PARTS,
    SESSION,
    asking_for_credentials,
    homes_of,
    new_bucket,
    s3_server,
    small_build,
)

from pipelines.errors import LakeError, WarehouseError
from pipelines.lake import Storage, storage
from pipelines.settings import Settings, load_settings
from pipelines.warehouse import WarehouseBuild, build_for, connect, verify
from pipelines.warehouse.places import build_named, pointed_name
from pipelines.warehouse.publication import KEPT_BUILDS, finished_builds
from pipelines.warehouse.record import WAREHOUSE_FILE
from pipelines.warehouse.shared import retention, root
from pipelines.warehouse.shared.handing_over import Handing, begin_handing
from pipelines.warehouse.shared.listing import LISTING

Homes = Callable[[str], Settings]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with s3_server() as address:
        yield address


@pytest.fixture(params=["bucket", "folder"])
def homes(
    request: pytest.FixtureRequest,
    endpoint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Homes:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    in_bucket = request.param == "bucket"
    url = new_bucket(endpoint, str(tmp_path)) if in_bucket else str(tmp_path / "shared")
    return homes_of(tmp_path, url)


def hand_over(build: WarehouseBuild, home: Settings) -> None:
    handing = begin_handing(home, build.session_date)
    assert handing is not None
    handing.hand_over(build)


def digests(folder: Path) -> dict[str, str]:
    """Digests of a build's files by path, but of the database and of what belongs to one home."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name != WAREHOUSE_FILE and not path.name.startswith(".")
    }


def stored(home: Settings, folder: str) -> list[str]:
    return storage(home).files(f"{root(home)}/{folder}", "")


def test_one_home_builds_and_another_reads_it_byte_for_byte(homes: Homes) -> None:
    one, other = homes("one"), homes("other")
    build = small_build(one)
    hand_over(build, one)

    fetched = build_for(other, SESSION)

    assert fetched == WarehouseBuild(**{**vars(build), "path": fetched.path})
    assert fetched.path.is_relative_to(other.home)
    assert digests(fetched.path) == digests(build.path)
    verify(fetched)
    assert build_named(other, build.path.name) == fetched
    assert pointed_name(other) == build.path.name
    # Nobody needs the home that built it.
    build.path.rename(one.home / "elsewhere")
    with connect(fetched.path) as warehouse:
        assert warehouse.sql("select word from word order by word").fetchall() == [
            (word,) for word in sorted(PARTS.values())
        ]


def test_a_home_of_its_own_hands_nothing_over(tmp_path: Path) -> None:
    assert begin_handing(load_settings({}, home=tmp_path), SESSION) is None
    own = load_settings({}, home=tmp_path, lake_url=str(tmp_path / "lake"))
    assert begin_handing(own, SESSION) is None


def test_bytes_that_the_lake_has_are_not_written_again(
    homes: Homes, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = homes("one")
    hand_over(small_build(home), home)
    written: list[str] = []
    upload = Storage.upload

    def noted(place: Storage, file: Path, path: str) -> None:
        written.append(file.name)
        upload(place, file, path)

    monkeypatch.setattr(Storage, "upload", noted)
    changed = small_build(home, manifest="b" * 64, parts={**PARTS, "2022-12": "another"})
    hand_over(changed, home)
    assert "2022-12.parquet" in written
    assert "2022-11.parquet" not in written


def test_bytes_that_a_home_has_are_not_fetched_again(
    homes: Homes, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = homes("one"), homes("other")
    hand_over(small_build(one), one)
    before = build_for(other, SESSION)
    hand_over(small_build(one, manifest="b" * 64, parts={**PARTS, "2022-12": "another"}), one)
    fetched: list[str] = []
    download = Storage.download

    def noted(place: Storage, path: str, file: Path) -> str:
        fetched.append(file.name)
        return download(place, path, file)

    monkeypatch.setattr(Storage, "download", noted)
    after = build_for(other, SESSION)
    assert after.path != before.path
    assert "2022-12.parquet" in fetched
    assert "2022-11.parquet" not in fetched
    assert len(fetched) == len(set(fetched))
    verify(after)
    build_for(other, SESSION)
    assert len(fetched) == len(set(fetched))


@pytest.mark.parametrize("uploads", [0, 1, 4])
def test_a_killed_handing_over_leaves_no_half_build_to_be_seen(
    homes: Homes, monkeypatch: pytest.MonkeyPatch, uploads: int
) -> None:
    one, other = homes("one"), homes("other")
    first = small_build(one)
    hand_over(first, one)
    second = small_build(one, manifest="b" * 64, parts={"2022-12": "x", "2022-11": "y", "q": "z"})
    upload, done = Storage.upload, threading.Semaphore(uploads)

    def killed(place: Storage, file: Path, path: str) -> None:
        if not done.acquire(blocking=False):
            raise KeyboardInterrupt
        upload(place, file, path)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Storage, "upload", killed)
        hand_over(second, one)

    assert build_for(other, SESSION).path.name == first.path.name
    assert len(stored(one, "builds")) == 1
    hand_over(second, one)
    assert build_for(other, SESSION).path.name == second.path.name


def test_of_two_builders_none_overwrites_what_it_has_not_seen(homes: Homes) -> None:
    one, other = homes("one"), homes("other")
    early, late = begin_handing(one, SESSION), begin_handing(other, SESSION)
    assert early is not None and late is not None
    newer = small_build(other, manifest="b" * 64)
    late.hand_over(newer)

    with pytest.raises(WarehouseError, match=f"another builder published {newer.path.name}"):
        early.hand_over(small_build(one))

    assert pointed_name(one, SESSION) == newer.path.name
    assert build_for(one, SESSION).path.name == newer.path.name


def test_a_builder_that_slept_through_two_others_is_told_so(homes: Homes) -> None:
    one, other = homes("one"), homes("other")
    hand_over(small_build(one), one)
    sleeper = begin_handing(one, SESSION)
    assert sleeper is not None
    for digit in "bc":
        hand_over(small_build(other, manifest=digit * 64), other)
    with pytest.raises(WarehouseError, match="another builder published"):
        sleeper.hand_over(small_build(one, manifest="d" * 64))
    assert build_for(one, SESSION).path.name.split("_")[1][0] == "c"


def test_of_builders_at_the_same_moment_one_wins_and_all_others_know(homes: Homes) -> None:
    handings = []
    for number in range(4):
        home = homes(f"home{number}")
        handing = begin_handing(home, SESSION)
        assert handing is not None
        handings.append((handing, small_build(home, manifest=f"{number}" * 64)))

    def attempt(pair: tuple[Handing, WarehouseBuild]) -> str | None:
        handing, build = pair
        try:
            handing.hand_over(build)
        except WarehouseError:
            return None
        return build.path.name

    with ThreadPoolExecutor(len(handings)) as pool:
        winners = [name for name in pool.map(attempt, handings) if name]
    assert winners == [pointed_name(homes("reader"), SESSION)]


def test_two_builders_of_the_same_build_agree(homes: Homes) -> None:
    one, other = homes("one"), homes("other")
    first, second = begin_handing(one, SESSION), begin_handing(other, SESSION)
    assert first is not None and second is not None
    build = small_build(one)
    first.hand_over(build)
    fetched = build_named(other, build.path.name)
    second.hand_over(fetched)
    assert pointed_name(one, SESSION) == build.path.name


@pytest.mark.parametrize("content", [b"", b"somebody else's"])
def test_a_damaged_file_in_the_lake_is_noticed_and_not_read(homes: Homes, content: bytes) -> None:
    one, other = homes("one"), homes("other")
    build = small_build(one)
    hand_over(build, one)
    [november] = [part for part in build.panel if part.name == "2022-11.parquet"]
    path = f"{root(one)}/files/{november.digest}.parquet"
    storage(one).write(path, content)

    with pytest.raises(WarehouseError, match="its bytes are not those") as error:
        build_for(other, SESSION)

    assert november.digest in str(error.value)
    assert not list((other.warehouse / "builds").glob("2*"))
    handing = begin_handing(one, SESSION)
    assert handing is not None
    handing.hand_over(build, anew=True)
    verify(build_for(other, SESSION))


def test_a_damaged_list_is_noticed(homes: Homes) -> None:
    one, other = homes("one"), homes("other")
    hand_over(small_build(one), one)
    [path] = stored(one, "builds")
    storage(one).write(
        path, storage(one).read(path).to_pybytes().replace(b'"rows"', b'"r0ws"')[:-1]
    )
    with pytest.raises(WarehouseError, match="its bytes are not those"):
        build_for(other, SESSION)


def test_a_build_that_was_damaged_at_home_is_fetched_again(homes: Homes) -> None:
    one, other = homes("one"), homes("other")
    hand_over(small_build(one), one)
    fetched = build_for(other, SESSION)
    (fetched.panel_path / "2022-11.parquet").write_bytes(b"")
    verify(build_for(other, SESSION))


def test_processes_that_fetch_at_once_fetch_once(
    homes: Homes, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = homes("one"), homes("other")
    hand_over(small_build(one), one)
    fetched: list[str] = []
    download = Storage.download

    def noted(place: Storage, path: str, file: Path) -> str:
        fetched.append(file.name)
        return download(place, path, file)

    monkeypatch.setattr(Storage, "download", noted)
    with ThreadPoolExecutor(4) as pool:
        builds = list(pool.map(lambda _: build_for(other, SESSION), range(4)))
    assert len({build.path for build in builds}) == 1
    assert len(fetched) == len(set(fetched))


def test_what_a_killed_fetch_left_is_not_taken_for_a_build(
    homes: Homes, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = homes("one"), homes("other")
    build = small_build(one)
    hand_over(build, one)
    left = other.warehouse / ".fetching" / build.path.name / "panel"
    left.mkdir(parents=True)
    (left / "2022-11.parquet").write_bytes(b"half")
    verify(build_for(other, SESSION))
    assert not left.exists()


def test_scratch_keeps_what_is_read_and_lets_go_of_the_rest(
    homes: Homes, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = homes("one"), homes("other")
    for number in range(KEPT_BUILDS + 2):
        hand_over(small_build(one, manifest=f"{number}" * 64), one)
        build_for(other, SESSION)
    assert len(finished_builds(other)) == KEPT_BUILDS + 2
    monkeypatch.setattr("pipelines.warehouse.publication._IN_USE_S", -1.0)
    build_for(other, SESSION)
    assert len(finished_builds(other)) == KEPT_BUILDS


def test_the_lake_keeps_the_newest_builds_and_what_they_need(
    homes: Homes, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = homes("one")
    monkeypatch.setattr(retention, "KEPT_BUILDS", 1)
    monkeypatch.setattr(retention, "_UNDER_WAY_NS", -1)
    hand_over(small_build(home, parts={"a": "only the first", "b": "both"}), home)
    newest = small_build(home, manifest="b" * 64, parts={"b": "both"})
    hand_over(newest, home)

    assert retention.remove_old(home) > 1

    assert [path.split("/")[-2] for path in stored(home, "builds")] == [newest.path.name]
    reader = homes("reader")
    verify(build_for(reader, SESSION))
    needed = set(digests(newest.path).values()) - {
        hashlib.sha256((newest.path / LISTING).read_bytes()).hexdigest()
    }
    kept = {path.rpartition("/")[2].partition(".")[0] for path in stored(home, "files")}
    assert needed < kept
    assert len(kept) == len(needed) + 1  # and the database


def test_a_session_that_was_never_built_says_so(homes: Homes) -> None:
    with pytest.raises(WarehouseError, match="has no warehouse build"):
        build_for(homes("one"), SESSION)


@pytest.mark.long
def test_missing_credentials_are_told(
    endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = new_bucket(endpoint, str(tmp_path))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    home = homes_of(tmp_path, url)("one")
    with (
        asking_for_credentials(endpoint),
        pytest.raises(LakeError, match="no credentials are set: AWS_ACCESS_KEY_ID"),
    ):
        begin_handing(home, SESSION)
