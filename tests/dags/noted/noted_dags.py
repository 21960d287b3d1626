"""DAGs whose tasks end in every way that there is, for the listeners to note."""

import datetime as dt

from airflow.sdk import DAG, Asset, Param, task
from airflow.sdk.exceptions import AirflowSkipException

WAREHOUSE = Asset(name="warehouse", uri="smartinvest://warehouse")
ADVICE = Asset(name="advice", uri="smartinvest://store/advice_run")

with DAG(
    "noted",
    schedule=None,
    params={"session": Param("2022-12-28", type="string")},
    tags=["smartinvest"],
    catchup=False,
) as dag:

    @task(inlets=[WAREHOUSE], outlets=[ADVICE])
    def publish() -> str:
        return "done"

    @task
    def count(number: int) -> int:
        return number

    @task
    def fail() -> None:
        raise ValueError("Jane Doe, born 1980-01-01, has no account")

    @task(retries=1, retry_delay=dt.timedelta(0), outlets=[ADVICE])
    def fail_twice() -> None:
        raise ValueError("not yet")

    @task
    def skip() -> None:
        raise AirflowSkipException("nothing to do")

    publish()
    count.expand(number=[1, 2])
    fail()
    fail_twice()
    skip()

with DAG("foreign", schedule=None, catchup=False) as foreign:

    @task
    def other() -> None:
        """Belong to somebody else who uses the same Airflow."""

    other()
