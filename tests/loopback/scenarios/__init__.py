"""All scenarios, in the order in which they are told.

refusals    Yahoo does not answer, or not with a chart
answers     charts that are not what was asked for
history     what was told before is told differently, or more is told
splits      splits that Yahoo works into its prices, late or not at all
"""

from . import answers, history, refusals, splits
from .economies import FRED_SCENARIOS, FredScenario
from .scenario import SCENARIOS, Scenario

__all__ = [
    "FRED_SCENARIOS",
    "SCENARIOS",
    "FredScenario",
    "Scenario",
    "answers",
    "history",
    "refusals",
    "splits",
]
