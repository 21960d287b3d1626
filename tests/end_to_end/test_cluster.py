"""The whole cluster of docker-compose.yml, natively: a daily chain through Celery with two workers.

It takes minutes; `make test-long` runs it.
"""

import datetime as dt
import re
import time
from collections.abc import Iterator

import httpx
import psutil
import psycopg
import pytest

from pipelines.operate.airflow_local import DAG_IDS
from pipelines.operate.chain import Chain
from pipelines.operate.cluster import Cluster
from pipelines.operate.summary import published_runs
from pipelines.settings import load_settings

pytestmark = pytest.mark.long

SESSION = dt.date(2022, 12, 28)
TIMEOUT_S = 2400
PATIENCE = {"WORKER_GRACE": "20s"}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    home = tmp_path_factory.mktemp("cluster") / "home"
    cluster = Cluster(load_settings({}, home=home))
    cluster.start(workers=2, variables=PATIENCE)
    yield cluster
    assert cluster.stop() == 9  # one of each service that stays, and a second worker
    left = [
        process.info
        for process in psutil.process_iter(["pid", "cmdline"])
        if str(home) in " ".join(process.info["cmdline"] or ())
    ]
    assert left == []


def test_a_daily_chain_runs_through_celery_on_two_workers_and_publishes(cluster: Cluster) -> None:
    generated = ["smartinvest", "clients", "generate", "--count", "50", "--seed", "1"]
    assert cluster.run(generated) == 0
    api = cluster.api()

    chain = Chain(api, api.trigger(DAG_IDS[0], SESSION), DAG_IDS, SESSION)
    deadline = time.monotonic() + TIMEOUT_S
    while not chain.complete:
        assert chain.failed is None, api.task_runs(chain.failed, "failed")
        assert time.monotonic() < deadline, chain.stages()
        time.sleep(1)
        chain.poll()

    seen_by_workers = load_settings(cluster.environment())
    assert len(published_runs(seen_by_workers, SESSION)) == 1
    tasks = [
        len(
            re.findall(
                r"Task execute_workload\S+ received", cluster.container(name, n).log.read_text()
            )
        )
        for name, n in (("airflow-worker", 1), ("airflow-worker", 2))
    ]
    assert sum(tasks) >= len(DAG_IDS)
    assert min(tasks) > 0, f"one worker did everything: {tasks}"


def test_nobody_comes_in_without_the_password_that_was_made(cluster: Cluster) -> None:
    known = cluster.variables

    with httpx.Client(base_url=known["AIRFLOW_URL"], trust_env=False, timeout=60.0) as http:
        assert http.get("/api/v2/dags").status_code == httpx.codes.UNAUTHORIZED
        for user, password in (("admin", "admin"), ("airflow", "airflow"), ("admin", "")):
            answer = http.post("/auth/token", json={"username": user, "password": password})
            assert not answer.is_success, (user, password)
    assert cluster.api().dag_ids() >= set(DAG_IDS)


@pytest.mark.parametrize(
    ("role", "variable", "database"),
    [
        ("airflow", "AIRFLOW_DB_PASSWORD", "smartinvest"),
        ("airflow", "AIRFLOW_DB_PASSWORD", "mlflow"),
        ("mlflow", "MLFLOW_DB_PASSWORD", "airflow"),
        ("smartinvest_pipeline", "STORE_DB_PASSWORD", "airflow"),
        ("smartinvest_analyst", "STORE_ANALYST_PASSWORD", "search"),
    ],
)
def test_a_role_is_let_into_its_own_database_only(
    cluster: Cluster, role: str, variable: str, database: str
) -> None:
    known = cluster.variables

    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(
            host=known["POSTGRES_HOST"],
            port=known["POSTGRES_PORT"],
            user=role,
            password=known[variable],
            dbname=database,
        )


@pytest.mark.parametrize("service", ["airflow-scheduler", "airflow-worker", "redis", "postgres"])
def test_a_killed_service_comes_back_by_itself_and_is_well(cluster: Cluster, service: str) -> None:
    before = {container.name: container.record for container in cluster.containers(service)}

    cluster.kill(service)

    deadline = time.monotonic() + 300
    for container in cluster.containers(service):
        while container.record in (None, before[container.name]) or not container.is_well():
            assert time.monotonic() < deadline, container.log.read_text()[-500:]
            time.sleep(1)


def test_starting_again_keeps_users_passwords_and_runs(cluster: Cluster) -> None:
    secrets = cluster.secrets_file.read_text()

    cluster.stop()
    cluster.start(workers=1, variables=PATIENCE)

    assert cluster.secrets_file.read_text() == secrets
    assert len(published_runs(load_settings(cluster.environment()), SESSION)) == 1
    assert not cluster.api().unfinished_runs()


def test_workers_are_added_while_the_cluster_runs(cluster: Cluster) -> None:
    scheduler = cluster.container("airflow-scheduler").record

    cluster.scale(2)

    assert [worker.is_well() for worker in cluster.containers("airflow-worker")] == [True, True]
    assert cluster.container("airflow-scheduler").record == scheduler
