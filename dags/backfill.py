"""### Backfill: run the chain for past sessions, in order

Give the first and the last day. `plan` refuses what makes no sense: days that are in the future or
in the wrong order, that the source has no data for, or too many. `start` triggers `ingest` once per
session, oldest first; each DAG of the chain runs its sessions in that order, one at a time,
several sessions on their way at once. `finish` waits until every session has its advice. An
`ingest` that failed is told at once, whatever else stops a session by its own alert.

**Starts** by hand only: *Trigger* shows the form. Airflow's own form, *Backfill* in the DAG
`ingest`, makes the same runs; this one checks what is asked for, and says when all is done.
**Run it again** at any time: clear it, and the sessions that it asks for run again under the same
run ids; where only missing ones were asked for and none is left, `plan` says so. Sessions with
unchanged data keep their published run.
**Updates** no asset by itself; the chain updates all of its own.
"""

import datetime as dt
from typing import Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, Param, PokeReturnValue, task
from airflow.sdk.exceptions import AirflowFailException
from smartinvest_dags import ADVICE, policy_beside

from pipelines.operate.airflow_local import DAG_IDS

FIRST = DAG_IDS[0]
BEGAN = "began"
"""Under this key the plan's XComs say when it was made; advice from before does not count."""

DAY: dict[str, Any] = {"type": "string", "format": "date"}

with DAG(
    "backfill",
    schedule=None,
    description="Run the chain for past sessions, in order",
    params={
        "first": Param(
            **DAY, title="First day", description="The oldest session is on it or after."
        ),
        "last": Param(
            **DAY, title="Last day", description="The newest session is on it or before."
        ),
        "which": Param(
            "missing",
            type="string",
            enum=["missing", "all"],
            values_display={
                "missing": "only sessions without published advice",
                "all": "all sessions, also those that are published",
            },
            title="Which sessions",
            description="A published session with unchanged data keeps its run in either case.",
        ),
        "patience_hours": Param(
            24,
            type="integer",
            minimum=1,
            maximum=240,
            title="Hours to wait",
            description="Then `finish` fails and names the sessions without advice.",
        ),
    },
    doc_md=__doc__,
    tags=["smartinvest", "by hand"],
    # The longest that its form lets it wait.
    **policy_beside(run_hours=240.0),
):

    @task
    def plan(**context: Any) -> list[dict[str, Any]]:
        from pipelines.operate.backfill import sessions_to_backfill
        from pipelines.settings import load_settings

        asked, now = context["params"], dt.datetime.now(dt.UTC)
        sessions = sessions_to_backfill(
            load_settings(), asked["first"], asked["last"], now, again=asked["which"] == "all"
        )
        context["ti"].xcom_push(BEGAN, now.isoformat())
        return [
            {
                "trigger_run_id": f"session_{session}__{context['run_id']}",
                "conf": {"session": session.isoformat()},
            }
            for session in sessions
        ]

    @task.sensor(poke_interval=30, timeout=11 * 24 * 3600, mode="reschedule", inlets=[ADVICE])
    def finish(runs: list[dict[str, Any]], **context: Any) -> PokeReturnValue:
        # Not when the run began: that moves where only this task is cleared.
        began = context["ti"].xcom_pull(task_ids="plan", key=BEGAN)
        # Of this asset alone: Airflow answers 500 for events whose consumer is still queued.
        advised = {event.partition_key for event in context["inlet_events"][ADVICE].after(began)}
        missing = [run for run in runs if run["conf"]["session"] not in advised]
        for run in missing:
            if context["ti"].get_dagrun_state(FIRST, run["trigger_run_id"]) == "failed":
                raise AirflowFailException(
                    f"Session {run['conf']['session']}: DAG {FIRST} failed, "
                    f"run {run['trigger_run_id']}. Mend it, clear it, then clear this task."
                )
        patience = dt.timedelta(hours=context["params"]["patience_hours"])
        if missing and dt.datetime.now(dt.UTC) - context["dag_run"].start_date > patience:
            sessions = ", ".join(run["conf"]["session"] for run in missing)
            raise AirflowFailException(
                f"No advice after {patience} for {sessions}. Look for the run of the session's key "
                "that is red, mend it and clear it, then clear this task."
            )
        return PokeReturnValue(is_done=not missing)

    runs: Any = plan()
    start = TriggerDagRunOperator.partial(
        task_id="start",
        trigger_dag_id=FIRST,
        logical_date=None,
        reset_dag_run=True,
        fail_when_dag_is_paused=True,
        # One after the other, so that runs queue in the order of their sessions.
        max_active_tis_per_dagrun=1,
        map_index_template="{{ task.conf.session }}",
    ).expand_kwargs(runs)
    start >> finish(runs)
