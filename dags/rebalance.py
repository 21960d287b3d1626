"""### Rebalance: allocations, trades and one outcome per account

Turns forecasts, the risk model and every client's profile, goals and holdings into target
allocations and trades with reasons, and publishes the run in one transaction: apps see all of it
or nothing.

`prepare` begins the run, estimates risk and returns once for all, and puts the shards of accounts
into groups (`SMARTINVEST_SHARDS_PER_GROUP`). `advise` advises one group, on any worker, and writes
each shard whole; a group whose worker was killed is made again alone, without the shards that it
had written. `publish` shows the run once no shard is missing.

**Starts** when `forecasts` was updated for a session; the session's warehouse build is there by
then.
**Run it again** at any time: the same inputs give the same run, which is not written twice. Clear
`advise` or `publish` alone where one of them failed; clear `prepare` where the inputs are others.
**Updates** the asset `advice` for the session.
"""

from typing import Any

from airflow.sdk import DAG, PartitionedAssetTimetable, get_current_context, task
from smartinvest_dags import ADVICE, FORECASTS, POLICY, SESSION, WAREHOUSE, session_of, tell

from pipelines.operate.pools import ADVICE_GROUPS

with DAG(
    "rebalance",
    schedule=PartitionedAssetTimetable(assets=FORECASTS),
    description="Target allocations and trades with reasons, published whole or not at all",
    params={"session": SESSION},
    doc_md=__doc__,
    tags=["smartinvest", "advice"],
    **POLICY,
):

    @task(inlets=[WAREHOUSE, FORECASTS])
    def prepare(**context: Any) -> list[dict[str, Any]]:
        from pipelines.rebalance import prepare_groups
        from pipelines.settings import load_settings

        return [group.plain() for group in prepare_groups(load_settings(), session_of(context))]

    @task(pool=ADVICE_GROUPS.name, map_index_template="{{ group_name }}")
    def advise(group: dict[str, Any]) -> None:
        from pipelines.rebalance import Group, advise_group
        from pipelines.settings import load_settings

        its = Group.of_plain(group)
        # Airflow names the mapped task by it.
        name: Any = get_current_context()
        name["group_name"] = its.name
        advise_group(load_settings(), its)

    @task(outlets=[ADVICE])
    def publish(groups: list[dict[str, Any]], **context: Any) -> None:
        from pipelines.rebalance import Group, publish_groups
        from pipelines.settings import load_settings

        publish_groups(load_settings(), [Group.of_plain(group) for group in groups])
        tell(context, ADVICE)

    groups: Any = prepare()
    advise.expand(group=groups) >> publish(groups)
