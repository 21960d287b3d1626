"""How long Airflow waits is the same embedded and on a cluster."""

import re
from pathlib import Path

import pytest

from pipelines.operate.airflow_config import environment
from pipelines.operate.airflow_pace import PACE
from pipelines.settings import load_settings

COMPOSE = (Path(__file__).parents[2] / "docker-compose.yml").read_text()


@pytest.mark.parametrize("name", PACE)
def test_the_cluster_waits_as_long_as_the_embedded_airflow(name: str) -> None:
    found = re.search(rf"^  AIRFLOW__{name}: (?:\$\{{\w+:-)?\"?(\d+)", COMPOSE, re.MULTILINE)
    assert found is not None
    assert found[1] == PACE[name]


def test_the_embedded_airflow_waits_so(tmp_path: Path) -> None:
    given = environment(load_settings({"SMARTINVEST_HOME": str(tmp_path)}), 8080, schedules=False)
    assert {name: given[f"AIRFLOW__{name}"] for name in PACE} == PACE


def test_whom_a_user_has_airflow_talk_to_reaches_the_embedded_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", "smtp://mail:25")
    monkeypatch.setenv("AIRFLOW__METRICS__STATSD_ON", "True")
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor")
    given = environment(load_settings({"SMARTINVEST_HOME": str(tmp_path)}), 8080, schedules=False)
    assert given["AIRFLOW_CONN_SMTP_DEFAULT"] == "smtp://mail:25"
    assert given["AIRFLOW__METRICS__STATSD_ON"] == "True"
    assert given["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
