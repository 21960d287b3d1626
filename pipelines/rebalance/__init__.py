"""The rebalance stage: from forecasts, risk and clients' wishes to published trades."""

from pipelines.rebalance.policy import POLICY, Policy
from pipelines.rebalance.stage import RebalanceReport, rebalance

__all__ = ["POLICY", "Policy", "RebalanceReport", "rebalance"]
