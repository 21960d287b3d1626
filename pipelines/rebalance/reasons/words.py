"""What triggers, causes and untraded symbols are called before a client."""

from collections.abc import Mapping
from types import MappingProxyType

from models.vocabulary import NoTrade, Trigger

TRIGGER_WORDS: Mapping[Trigger, str] = MappingProxyType(
    {
        Trigger.FIRST_ADVICE: "this is our first advice for it",
        Trigger.PROFILE_CHANGE: "your goal, its date, your risk score or your wishes ask for "
        "another target",
        Trigger.CONSTRAINT_CHANGE: "its last target no longer keeps to the limits on what it may "
        "hold",
        Trigger.CASH_FLOW: "money came in, or cash is needed",
        Trigger.DRIFT: "prices moved what it holds away from its target",
        Trigger.HARVEST: "taking a loss now can save tax",
        Trigger.NONE: "another account of the same goal changed",
    }
)
"""Why an account acts, as a clause after "because"."""

CAUSE_WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "drift": (
            "because prices moved and the account holds less of it than its last target asks for",
            "because prices moved and the account holds more of it than its last target asks for",
        ),
        "cash_flow": ("to put new cash to work", "to raise cash that you need"),
        "profile": (
            "because your goal, its date and your risk score ask for it",
            "because your goal, its date and your risk score ask for less of it",
        ),
        "constraints": (
            "because limits and wishes on other holdings leave room for it",
            "because limits or wishes on what the account may hold ask for less of it",
        ),
        "risk_model": (
            "because at present it swings less, or less with the rest, than over the years",
            "because at present it swings more, or more with the rest, than over the years",
        ),
        "forecast": (
            "because forecasts for the coming month favour it (an estimate, not a promise)",
            "because forecasts for the coming month favour others (an estimate, not a promise)",
        ),
        "cost": (
            "to use cash that trading cost and limits on other trades leave",
            "because of trading cost and limits on other trades",
        ),
        "tax": (
            "for tax: it takes the place of what is sold, or not bought, to save tax",
            "for tax: selling it takes a loss, or costs less tax than selling others",
        ),
        "rounding": (
            "because of whole shares and leftover cash",
            "because of whole shares and leftover cash",
        ),
    }
)
"""Why a trade is made, by its main cause: of a buy, and of a sell."""

FEWER_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "drift": "prices that moved",
        "cash_flow": "cash that came or is needed",
        "profile": "your goal, its date and your risk score",
        "constraints": "limits and wishes",
        "risk_model": "risk as it is at present",
        "forecast": "forecasts",
        "cost": "trading cost and limits on trades",
        "tax": "tax",
    }
)
"""What makes a trade smaller than its main cause would, as a noun after "because of"."""

NO_TRADE_WORDS: Mapping[NoTrade, str] = MappingProxyType(
    {
        NoTrade.WITHIN_BAND: "it is within the room that we leave around its target",
        NoTrade.COOLDOWN: "the account was traded lately; a gap like this waits",
        NoTrade.LESS_THAN_A_LOT: "the gap is smaller than the smallest step that can be traded",
        NoTrade.BELOW_MINIMUM: "the trade would be too small to be worth making",
        NoTrade.CASH_SHORT: "there is no cash left for it, or a limit on other holdings is reached",
        NoTrade.WASH_SALE: "a purchase now would take the tax benefit of a loss away",
        NoTrade.OPEN_ORDER: "an order for it is already with the broker",
        NoTrade.HELD: "the account is left alone for now",
    }
)
"""Why a symbol is not traded though its target differs, as a clause after "because"."""
