"""The judge: pure functions from rows to verdicts. No file, no clock, no Great Expectations."""

from pipelines.quality.judging.actions import judge_actions
from pipelines.quality.judging.compiled import Batch, failing
from pipelines.quality.judging.judge import PAST_BARS, PriceJudge, Verdict
from pipelines.quality.judging.macro import judge_macro
from pipelines.quality.judging.plain import judge_rows
from pipelines.quality.judging.universe import judge_universe

__all__ = [
    "PAST_BARS",
    "Batch",
    "PriceJudge",
    "Verdict",
    "failing",
    "judge_actions",
    "judge_macro",
    "judge_rows",
    "judge_universe",
]
