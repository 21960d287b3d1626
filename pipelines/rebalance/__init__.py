"""The rebalance stage: from forecasts, risk and clients' wishes to published trades."""

from pipelines.rebalance.group import Group
from pipelines.rebalance.groups import advise_group, prepare_groups, publish_groups
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
