"""Why a trade has its size: signed shares per cause along a fixed path of targets.

The path begins with what is held and ends with what is traded. Every step changes one thing, and
its cause gets the difference that it makes, so the causes sum to the trade exactly:

    held -> last target (drift) -> long-only optimum of the goal under the long-run covariance
    (profile) -> bounds, exclusions, cash (constraints) -> today's covariance (risk_model)
    -> the forecasts (forecast) -> trading cost and the cash that it takes (cost)
    -> whole lots (rounding)

There are no cash flows and no tax in this release: those causes are 0. Cash that is short because
of fees, or because sells were rounded down or too small to make, is part of ``cost``. ``rounding``
is what whole lots leave and never exceeds one lot.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from models.vocabulary import MICROS, Side
from pipelines.rebalance.market.market import Instrument
from pipelines.rebalance.trades.scalar.orders import Order

_IN_WORDS = {
    "drift": "because the account holds {more_or_less} of it than its last target asks for",
    "profile": "because your goal, its date and your risk score ask for it",
    "constraints": "because limits and wishes on what the account may hold ask for it",
    "risk_model": "because prices swing differently now than over the years",
    "forecast": "because of the forecast for the coming month",
    "cost": "to save trading cost",
    "rounding": "because of whole shares and leftover cash",
}


@dataclass(frozen=True)
class Reason:
    """Signed micros of a share per cause, and the sentence for the client."""

    drift_micros: int
    cash_flow_micros: int
    profile_micros: int
    constraints_micros: int
    risk_model_micros: int
    forecast_micros: int
    cost_micros: int
    tax_micros: int
    rounding_micros: int
    sentence: str


@dataclass(frozen=True)
class Path:
    """Quantities in micros of a share, by symbol, at every step from holdings to the target.

    ``last`` is None where no target was ever published for the account; ``settled`` is the target
    as far as cash allows. A step that could not be solved repeats the one before it, and then the
    path is not complete: its part counts with the next step.
    """

    held: Sequence[int]
    last: Sequence[int] | None
    profile: Sequence[int]
    constraints: Sequence[int]
    risk_model: Sequence[int]
    forecast: Sequence[int]
    settled: Sequence[int]
    is_complete: bool = True


def explain(order: Order, path: Path, instrument: Instrument) -> Reason:
    """Return why an order for an instrument has its size."""
    at = order.position
    traded = order.quantity_micros if order.side is Side.BUY else -order.quantity_micros
    start = path.held[at] if path.last is None else path.last[at]
    causes = {
        "drift": start - path.held[at],
        "profile": path.profile[at] - start,
        "constraints": path.constraints[at] - path.profile[at],
        "risk_model": path.risk_model[at] - path.constraints[at],
        "forecast": path.forecast[at] - path.risk_model[at],
        "cost": path.settled[at] - path.forecast[at],
        "rounding": traded - (path.settled[at] - path.held[at]),
    }
    return Reason(
        drift_micros=causes["drift"],
        cash_flow_micros=0,
        profile_micros=causes["profile"],
        constraints_micros=causes["constraints"],
        risk_model_micros=causes["risk_model"],
        forecast_micros=causes["forecast"],
        cost_micros=causes["cost"],
        tax_micros=0,
        rounding_micros=causes["rounding"],
        sentence=_sentence(order, causes, instrument, is_complete=path.is_complete),
    )


def _sentence(
    order: Order, causes: dict[str, int], instrument: Instrument, *, is_complete: bool
) -> str:
    verb = "Buy" if order.side is Side.BUY else "Sell"
    shares = f"{order.quantity_micros / MICROS:,.6f}".rstrip("0").rstrip(".")
    noun = "share" if order.quantity_micros == MICROS else "shares"
    trade = f"{verb} {shares} {noun} of {instrument.name}"
    if not instrument.is_member:
        return f"{trade}, because it is no longer among what we advise on."
    if not is_complete:
        return f"{trade}, to reach the account's target; its causes could not all be told apart."
    direction = 1 if order.side is Side.BUY else -1
    main = max(causes, key=lambda cause: direction * causes[cause])
    why = _IN_WORDS[main].format(more_or_less="less" if order.side is Side.BUY else "more")
    return f"{trade}, mainly {why}."
