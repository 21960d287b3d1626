"""The summary of a run says on every database what was advised."""

import pytest
from advice_examples import choose_model, publish_run
from warehouse_inputs import SESSION

from pipelines.operate.summary import print_summary
from pipelines.settings import Settings


def test_a_summary_adds_up_outcomes_and_trades_on_every_database(
    store: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    run_id = publish_run(store, SESSION)
    choose_model(store, SESSION)

    print_summary(store, SESSION)

    said = capsys.readouterr().out
    assert run_id in said
    [line] = [line.split() for line in said.splitlines() if line.startswith(("buy", "sell"))]
    assert line[1] == "1"
    assert float(line[2].replace(",", "")) > 0
