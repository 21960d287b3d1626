"""From a risk score to the risk aversion that the optimiser uses."""

from pipelines.rebalance.inputs.accounts import Account
from pipelines.rebalance.policy import Policy

LOWEST_SCORE = 1
HIGHEST_SCORE = 100


def target_volatility(risk_score: int, policy: Policy) -> float:
    """Return the annual volatility that a risk score asks for, linear from 1 to 100.

    Raises
    ------
    ValueError
        The score lies outside 1..100.
    """
    if not LOWEST_SCORE <= risk_score <= HIGHEST_SCORE:
        raise ValueError(f"risk score {risk_score} lies outside 1..100")
    step = (risk_score - LOWEST_SCORE) / (HIGHEST_SCORE - LOWEST_SCORE)
    return policy.lowest_target_vol + step * (policy.highest_target_vol - policy.lowest_target_vol)


def risk_aversion(risk_score: int, reference_volatility: float, policy: Policy) -> float:
    """Return the aversion at which the unbounded optimum has the score's target volatility.

    With equilibrium returns that optimum is (delta / lambda) of the reference portfolio, so
    lambda = delta * sigma_reference / sigma_target.
    """
    target = target_volatility(risk_score, policy)
    return policy.reference_risk_aversion * reference_volatility / target


def account_aversion(account: Account, reference_volatility: float, policy: Policy) -> float:
    """Return the risk aversion that an account's risk score stands for.

    Raises
    ------
    ValueError
        It has none; such accounts are screened out before.
    """
    if account.risk_score is None:
        raise ValueError(f"account {account.account_id} has no risk score; screen it first")
    return risk_aversion(account.risk_score, reference_volatility, policy)


def reference_exposure(risk_score: int, reference_volatility: float, policy: Policy) -> float:
    """Return the share of wealth that the score would put into the reference portfolio."""
    return min(1.0, target_volatility(risk_score, policy) / reference_volatility)
