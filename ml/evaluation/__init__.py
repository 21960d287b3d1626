"""How good forecasts are, and how much of it is chance."""

from ml.evaluation.diebold_mariano import Comparison, compare, diebold_mariano, session_means
from ml.evaluation.multiple import holm
from ml.evaluation.overlap import MeanTest, overlap_t_test
from ml.evaluation.ranks import rank_ic
from ml.evaluation.skill import Mask, confidence, r2_out_of_sample, scored_by_all

__all__ = [
    "Comparison",
    "Mask",
    "MeanTest",
    "compare",
    "confidence",
    "diebold_mariano",
    "holm",
    "overlap_t_test",
    "r2_out_of_sample",
    "rank_ic",
    "scored_by_all",
    "session_means",
]
