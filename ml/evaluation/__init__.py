"""How good forecasts are, and how much of it is chance."""

from ml.evaluation.comparison import compare, session_means
from ml.evaluation.intervals import chance_band, coverage, overlap_band
from ml.evaluation.multiple import LEVEL
from ml.evaluation.outcomes import Outcomes
from ml.evaluation.scoring import score
from ml.evaluation.skill import Mask, confidence, r2_out_of_sample, scored_by_all

__all__ = [
    "LEVEL",
    "Mask",
    "Outcomes",
    "chance_band",
    "compare",
    "confidence",
    "coverage",
    "overlap_band",
    "r2_out_of_sample",
    "score",
    "scored_by_all",
    "session_means",
]
