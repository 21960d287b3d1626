"""A stage in a process of its own: its output is logged, its failure is told, its end is sure."""

import datetime as dt
import logging

import pytest

from pipelines.errors import ProcessError
from pipelines.operate.stage_process import run_stage_process

SATURDAY = dt.date(2022, 12, 24)


def test_a_failing_stage_is_reported_with_exit_code_and_last_words(
    tmp_path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SMARTINVEST_HOME", str(tmp_path))
    with caplog.at_level(logging.INFO), pytest.raises(ProcessError, match="exit code 1") as caught:
        run_stage_process("train", SATURDAY)
    assert "XNYS is closed on that day" in str(caught.value)
    assert "XNYS is closed on that day" in caplog.text
