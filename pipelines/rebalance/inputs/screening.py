"""Accounts that must be left alone, and why, in words for their client."""

from pipelines.rebalance.inputs.accounts import Account
from pipelines.rebalance.market.market import Market

_ACCOUNT_ISSUES = {
    "goal_missing": "it serves a goal that does not exist",
    "empty": "it is empty",
}
_PROFILE_ISSUES = {
    "no_risk_profile": "the questionnaire on risk has not been answered",
}


def unusable_because(account: Account, market: Market) -> str | None:
    """Return why no target can be made for an account, or None where one can."""
    reasons = (
        _unpriced(account),
        _ACCOUNT_ISSUES.get(account.account_issue or ""),
        _PROFILE_ISSUES.get(account.profile_issue or ""),
        "there is no risk score for its goal" if account.risk_score is None else None,
        "its cash is negative" if account.cash_micros < 0 else None,
        _short(account),
        "it is worth nothing" if account.wealth_cents <= 0 else None,
        _unsupported(account, market),
    )
    return next((reason for reason in reasons if reason), None)


def _unpriced(account: Account) -> str | None:
    return _about(
        "there is no current price for",
        [symbol for symbol, held in account.positions.items() if held.price_micros is None],
    )


def _short(account: Account) -> str | None:
    return _about(
        "it owes shares of",
        [symbol for symbol, held in account.positions.items() if held.quantity_micros < 0],
    )


def _unsupported(account: Account, market: Market) -> str | None:
    return _about(
        "we cannot advise on",
        [
            symbol
            for symbol, held in account.positions.items()
            if held.quantity_micros > 0 and symbol not in market.symbols
        ],
    )


def _about(problem: str, symbols: list[str]) -> str | None:
    return f"{problem} {', '.join(sorted(symbols))}" if symbols else None
