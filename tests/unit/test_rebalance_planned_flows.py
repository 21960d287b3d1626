"""Planned cash becomes arrays of the goals that it is for."""

import datetime as dt
from pathlib import Path

import numpy as np
import sqlalchemy as sa
from marts import account, profile, write_marts
from rebalance_examples import SESSION, market

from pipelines.rebalance.inputs.earlier_runs import EarlierRuns
from pipelines.rebalance.inputs.reading import read_shards
from pipelines.rebalance.inputs.shard import PlannedFlows, no_planned_flows
from pipelines.warehouse import connect


def flow(client_id: str, cash_flow_id: str, **changes: object) -> dict[str, object]:
    return {
        "client_id": client_id,
        "goal_id": f"{client_id}-goal",
        "account_id": "a",
        "cash_flow_id": cash_flow_id,
        "signed_cents": 10_000,
        "step_months": 1,
        "next_date": SESSION + dt.timedelta(days=3),
        "last_date": None,
    } | changes


def flows_of(path: Path, clients: list[str], flows: list[dict[str, object]]) -> list[PlannedFlows]:
    write_marts(
        path,
        account=[account(f"a-{client}", client) for client in clients],
        client_profile=[profile(client) for client in clients],
        planned_cash_flow=flows,
    )
    runs = EarlierRuns(SESSION, None, None, (), ())
    with sa.create_engine("sqlite://").connect() as store, connect(path) as warehouse:
        return [shard.planned_flows for shard in read_shards(warehouse, store, market(), runs, 2)]


def test_flows_stand_beside_their_goals_and_count_days_from_the_session(tmp_path: Path) -> None:
    end = SESSION + dt.timedelta(days=400)
    first, second = flows_of(
        tmp_path / "build.duckdb",
        ["c1", "c2", "c3"],
        [
            flow("c3", "f1"),
            flow("c2", "f3", signed_cents=-500, step_months=0),
            flow("c2", "f2", step_months=12, last_date=end),
            flow("c1", "f0", goal_id="somebody else's"),
        ],
    )
    assert first.goal.tolist() == [1, 1]
    assert first.signed_cents.tolist() == [10_000, -500]
    assert first.first_day.tolist() == [3, 3]
    assert first.last_day[0] == 400
    assert first.last_day[1] > 1_000_000
    assert first.step_months.tolist() == [12, 0]
    assert second.goal.tolist() == [0]


def test_clients_who_plan_nothing_have_no_flows(tmp_path: Path) -> None:
    [found] = flows_of(tmp_path / "build.duckdb", ["c1"], [])
    for name in PlannedFlows.__dataclass_fields__:
        value, none = getattr(found, name), getattr(no_planned_flows(), name)
        assert value.dtype == none.dtype == np.int64
        assert len(value) == 0
