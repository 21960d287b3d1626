"""What keeps an account or a goal from being advised on, by number, and in words."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.rebalance.arrays import Mask
from pipelines.rebalance.inputs.shard import Codes


class GoalIssue(StrEnum):
    """What is wrong with a goal, as the mart ``client_profile`` says it."""

    NONE = "none"
    NO_RISK_PROFILE = "no_risk_profile"
    TARGET_DATE_PASSED = "target_date_passed"
    TARGET_DATE_IMPLAUSIBLE = "target_date_implausible"
    NO_ACCOUNT = "no_account"


class AccountIssue(StrEnum):
    """Why an account is left alone; where several hold, the first of these is named."""

    NONE = "none"
    TOO_LARGE = "too_large"
    OPEN_ORDER = "open_order"
    UNPRICED_HOLDING = "unpriced_holding"
    SHORT_POSITION = "short_position"
    GOAL_MISSING = "goal_missing"
    NO_RISK_PROFILE = "no_risk_profile"
    NEGATIVE_CASH = "negative_cash"
    EMPTY = "empty"


GOAL_ISSUES = tuple(GoalIssue)
ACCOUNT_ISSUES = tuple(AccountIssue)

_CLAUSES: Mapping[AccountIssue, str] = MappingProxyType(
    {
        AccountIssue.NONE: "",
        AccountIssue.TOO_LARGE: "it holds more than we can advise on",
        AccountIssue.OPEN_ORDER: "orders of this session are already with the broker",
        AccountIssue.UNPRICED_HOLDING: "there is no current price for ",
        AccountIssue.SHORT_POSITION: "the account owes shares of ",
        AccountIssue.GOAL_MISSING: "the account serves a goal that does not exist",
        AccountIssue.NO_RISK_PROFILE: "the questionnaire on risk has not been answered",
        AccountIssue.NEGATIVE_CASH: "the account's cash is below zero: it has to be paid in",
        AccountIssue.EMPTY: "the account is empty",
    }
)


def first_issue(found: Mapping[AccountIssue, Mask]) -> Codes:
    """Return, per account, the first issue in the order of ``ACCOUNT_ISSUES`` that it has.

    Parameters
    ----------
    found : (accounts,) who has it, for each issue but ``NONE``.
    """
    issue: Codes = np.zeros(len(next(iter(found.values()))), dtype=np.int8)
    for number in range(len(ACCOUNT_ISSUES) - 1, 0, -1):
        issue[found[ACCOUNT_ISSUES[number]]] = number
    return issue


def symbols_meant(issue: Codes, unpriced: pa.StringArray, short: pa.StringArray) -> pa.StringArray:
    """Return, per account, the symbols that its issue is about; empty where it is about none."""
    unpriced_number = ACCOUNT_ISSUES.index(AccountIssue.UNPRICED_HOLDING)
    short_number = ACCOUNT_ISSUES.index(AccountIssue.SHORT_POSITION)
    about_short = pc.if_else(pa.array(issue == short_number), short, "")
    return pc.if_else(pa.array(issue == unpriced_number), unpriced, about_short)


def why_left_alone(issue: Codes, detail: pa.StringArray) -> pa.StringArray:
    """Return, per account, the clause that says why, for its client; empty where nothing is wrong.

    Parameters
    ----------
    issue : (accounts,) as ``ACCOUNT_ISSUES`` numbers them.
    detail : (accounts,) symbols that are meant; empty where there are none.
    """
    clauses = pa.array([_CLAUSES[name] for name in ACCOUNT_ISSUES])
    return pc.binary_join_element_wise(clauses.take(pa.array(issue)), detail, "")
