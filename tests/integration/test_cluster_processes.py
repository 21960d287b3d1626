"""A cluster of Redis alone, from a compose file of its own: started, killed, started again, ended.

The whole cluster takes minutes: tests/end_to_end/test_cluster.py.
"""

import re
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import redis
import yaml

from pipelines.errors import ProcessError
from pipelines.operate.airflow_config import REPOSITORY
from pipelines.operate.cluster import Cluster
from pipelines.operate.cluster import cluster as module
from pipelines.operate.processes import is_running
from pipelines.settings import Settings, load_settings


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    text = (REPOSITORY / "docker-compose.yml").read_text("utf-8")
    document = yaml.safe_load(text)
    document["services"] = {"redis": document["services"]["redis"]}
    file = tmp_path / "docker-compose.yml"
    file.write_text(yaml.safe_dump(document))
    monkeypatch.setattr(module, "COMPOSE_FILE", file)
    return load_settings({}, home=tmp_path / "home")


@pytest.fixture
def cluster(settings: Settings) -> Iterator[Cluster]:
    cluster = Cluster(settings)
    cluster.start()
    yield cluster
    cluster.stop(grace_s=5.0)


def client(cluster: Cluster) -> redis.Redis:
    known = cluster.variables
    return redis.Redis(
        host=known["REDIS_HOST"],
        port=int(known["REDIS_PORT"]),
        password=known["REDIS_PASSWORD"],
        decode_responses=True,
    )


def pid(cluster: Cluster) -> int | None:
    record = cluster.container("redis").record
    return record and record.pid


def test_a_killed_service_is_started_again_and_has_what_it_had(cluster: Cluster) -> None:
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=int(cluster.variables["REDIS_PORT"])).ping()
    client(cluster).set("kept", "yes")
    before = pid(cluster)
    # Redis writes its log of changes once a second.
    time.sleep(1.2)

    cluster.kill("redis")
    cluster.wait_until_well("redis")

    assert pid(cluster) not in (None, before)
    assert client(cluster).get("kept") == "yes"


def test_a_service_that_was_stopped_stays_away_until_it_is_started(cluster: Cluster) -> None:
    cluster.stop_service("redis")
    time.sleep(2.0)

    assert not cluster.container("redis").is_running()
    cluster.start_service("redis", {"EXTRA": "1"})
    assert client(cluster).ping()
    assert psutil.Process(pid(cluster)).environ()["EXTRA"] == "1"


def test_whoever_names_the_home_speaks_of_the_same_cluster(
    cluster: Cluster, settings: Settings
) -> None:
    another = Cluster(settings)

    assert pid(another) == pid(cluster)
    with pytest.raises(ProcessError, match="it runs already"):
        another.start()
    assert another.stop() == 1
    assert another.stop() == 0
    with pytest.raises(ProcessError, match="redis"):
        another.container("postgres")


def test_of_two_terminals_that_start_it_at_once_one_is_told_that_it_runs(
    settings: Settings,
) -> None:
    with ThreadPoolExecutor(2) as pool:
        starting = [pool.submit(Cluster(settings).start) for _ in range(2)]
        errors = [each.exception() for each in starting]

    assert sorted(map(bool, errors)) == [False, True]
    assert "it runs already" in "".join(map(str, errors))
    assert client(Cluster(settings)).ping()
    assert Cluster(settings).stop() == 1


def test_a_cluster_that_was_ended_gets_no_workers(cluster: Cluster) -> None:
    cluster.stop()

    with pytest.raises(ProcessError, match="it does not run"):
        cluster.scale(2)


def test_a_port_that_is_taken_is_refused_before_anything_starts(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with pytest.raises(ProcessError, match=rf"port of redis = '{port}'.*REDIS_PORT="):
            Cluster(settings).start(variables={"REDIS_PORT": port})

    assert Cluster(settings).stop() == 0


def test_ending_leaves_no_process_and_no_password_in_a_command_line(
    cluster: Cluster, settings: Settings
) -> None:
    password = cluster.variables["REDIS_PASSWORD"]
    lines = [
        " ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])
    ]
    record = cluster.container("redis").record
    assert record is not None

    cluster.stop()

    assert not [line for line in lines if password in line]
    assert not is_running(record)
    home = re.escape(str(settings.home))
    assert not [
        process
        for process in psutil.process_iter(["cmdline"])
        if re.search(home, " ".join(process.info["cmdline"] or ()))
    ]


def test_a_service_that_ends_at_its_start_is_named_with_what_it_said(
    settings: Settings, tmp_path: Path
) -> None:
    file = module.COMPOSE_FILE
    file.write_text(file.read_text().replace("dir /data", "dir /nowhere/at/all"))

    with pytest.raises(ProcessError, match=r"service redis-1.*ended by itself"):
        Cluster(settings).start()
    assert Cluster(settings).stop() == 0
