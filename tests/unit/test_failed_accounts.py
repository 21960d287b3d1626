"""Accounts without advice stand in the log by their keys, and by nothing else of theirs."""

import logging

import pyarrow as pa
import pytest

from pipelines.log_identifiers import AddIdentifiers
from pipelines.rebalance.output.failed_accounts import MOST_LINES, log_failed
from pipelines.rebalance.output.shards import ShardKey, ShardRows

SENTENCE = "Anna's flat is worth 100"


def shard(*outcomes: str) -> ShardRows:
    table = pa.table(
        {
            "account_id": [f"account-{number}" for number in range(len(outcomes))],
            "outcome": pa.array(outcomes, pa.string()).dictionary_encode(),
            "sentence": [SENTENCE] * len(outcomes),
        }
    )
    tables = {"client_outcome": table}
    return ShardRows(ShardKey("run", 4, 100), "x", "x", pa.array([], pa.string()), tables)


def test_each_failed_account_is_a_line_with_its_key_and_shard(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.handler.addFilter(AddIdentifiers())
    assert log_failed(shard("rebalanced", "failed", "within_band", "failed")) == 2
    said = [getattr(record, "identifiers", "") for record in caplog.records]
    assert said == ["[shard=4 account=account-1] ", "[shard=4 account=account-3] "]
    assert {record.levelno for record in caplog.records} == {logging.WARNING}
    assert SENTENCE not in caplog.text


def test_of_a_shard_that_failed_whole_the_log_names_some_and_counts_the_rest(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert log_failed(shard(*["failed"] * (MOST_LINES + 5))) == MOST_LINES + 5
    assert len(caplog.records) == MOST_LINES + 1
    assert "5 more accounts" in caplog.records[-1].message


def test_a_shard_without_failures_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    assert log_failed(shard("rebalanced", "held")) == 0
    assert caplog.records == []
