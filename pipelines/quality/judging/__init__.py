"""The judge: pure functions from rows to verdicts. No file, no clock, no Great Expectations."""

from pipelines.quality.judging.compiled import Batch, failing
from pipelines.quality.judging.judge import PAST_BARS, PriceJudge, Verdict
from pipelines.quality.judging.plain import judge_rows

__all__ = ["PAST_BARS", "Batch", "PriceJudge", "Verdict", "failing", "judge_rows"]
