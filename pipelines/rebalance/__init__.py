"""The rebalance stage: from forecasts, risk and clients' wishes to published trades."""

from pipelines.rebalance.groups import Group, advise_group, prepare_groups, publish_groups
from pipelines.rebalance.policy import POLICY, Policy
from pipelines.rebalance.stage import RebalanceReport, rebalance

__all__ = [
    "POLICY",
    "Group",
    "Policy",
    "RebalanceReport",
    "advise_group",
    "prepare_groups",
    "publish_groups",
    "rebalance",
]
