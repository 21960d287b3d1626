"""A DAG whose tasks succeed, speak and fail, with the callbacks that all DAGs of ours have."""

import logging

from airflow.sdk import DAG, Asset, Param, task
from alerts import run_failed, task_failed, task_retries, task_succeeded
from retry_policy import recovers

logger = logging.getLogger("pipelines.told")

with DAG(
    "told",
    schedule=None,
    params={"session": Param("2022-12-28", type="string")},
    tags=["smartinvest"],
    catchup=False,
    on_failure_callback=run_failed,
    default_args={
        **recovers(),
        "on_failure_callback": task_failed,
        "on_retry_callback": task_retries,
        "on_success_callback": task_succeeded,
    },
):

    @task(outlets=[Asset(name="advice", uri="smartinvest://store/advice_run")])
    def publish() -> None:
        from pipelines.log_identifiers import identified

        logger.info("a line of ours")
        with identified(account="account-0000003"):
            logger.warning("a line about an account")

    @task
    def fail(number: int) -> None:
        from pipelines.errors import SettingError

        said = f"it is wrong for the {number}th time"
        raise SettingError("setting X", "postgresql://anna:hunter2@db/x", said, "Mend it.")

    publish() >> fail.expand(number=[1, 2])
