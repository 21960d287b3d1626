"""Trades, and what is not traded, in words, tables and pictures."""

from collections.abc import Iterator, Mapping

from models.vocabulary import CASH, MICROS, Side, TaxKind
from pipelines.explain.amounts import dollars, percent, price, shares
from pipelines.explain.charts import waterfall
from pipelines.explain.document import Grid, Section
from pipelines.explain.facts import AccountAdvice, Explanation, Instrument, LotSale, TradeFact
from pipelines.explain.words import CAUSE_LABELS, CAUSE_MEANINGS
from pipelines.rebalance.reasons.words import NO_TRADE_WORDS
from pipelines.rebalance.trades.lots import NO_LOT

_PATH = (
    "The causes lie along one fixed path, from what is held to what is traded. Each is the "
    "difference that one more thing makes, so they sum to the trade; a cause may point the other "
    "way, and others outweigh it."
)
_UNKNOWN = "unknown"
_SHELTERED = (TaxKind.TAX_DEFERRED, TaxKind.TAX_FREE)
_NOT_TOLD = "no lot recorded"


def trade_sections(explained: Explanation, account: AccountAdvice) -> Iterator[Section]:
    """Yield a section for the trades together, and one for each."""
    if not account.trades:
        yield Section("Trades", paragraphs=("No trade is proposed.",))
        return
    fewer = f"The one asked for, of {account.outcome.account_id}." if explained.symbol else ""
    yield Section(
        "Trades",
        paragraphs=tuple(filter(None, (fewer, _PATH))),
        grids=(_trades_grid(account, explained.instruments),),
    )
    for trade in account.trades:
        yield _trade_section(trade, account.tax_kind, explained.instruments)


def no_trade_section(explained: Explanation, account: AccountAdvice) -> Section:
    """Return why symbols are not traded though their target differs from what is held."""
    title = "Not traded, though the target differs"
    if not account.is_target_new:
        why = "This run made no new target for the account: " + account.outcome.sentence
        return Section(title, paragraphs=(why,))
    rows = tuple(
        (
            each.symbol,
            _name(explained.instruments, each.symbol),
            percent(each.held),
            percent(each.target),
            f"because {NO_TRADE_WORDS[each.no_trade]}",
        )
        for each in account.weights
        if each.no_trade is not None
    )
    if not rows:
        return Section(title, paragraphs=("Nothing: all that differs is traded.",))
    return Section(title, grids=(Grid(("symbol", "name", "held", "target", "why"), rows),))


def _trades_grid(account: AccountAdvice, instruments: Mapping[str, Instrument]) -> Grid:
    return Grid(
        ("#", "trade", "symbol", "name", "status", "shares", "price", "worth", "fee"),
        tuple(
            (
                str(trade.sequence),
                trade.side.value,
                trade.symbol,
                _name(instruments, trade.symbol),
                f"{trade.status}, until {trade.valid_until}",
                shares(trade.quantity_micros),
                price(trade.price_micros),
                dollars(trade.notional_cents),
                dollars(trade.fee_cents),
            )
            for trade in account.trades
        ),
        numeric=4,
    )


def _trade_section(
    trade: TradeFact, tax_kind: str | None, instruments: Mapping[str, Instrument]
) -> Section:
    verb = "Buy" if trade.side is Side.BUY else "Sell"
    title = f"{verb} {shares(trade.quantity_micros)} {trade.symbol}"
    labelled = {CAUSE_LABELS[name]: micros for name, micros in trade.causes_micros.items()}
    grids = [_causes_grid(trade)]
    notes = [trade.sentence, f"Trade {trade.trade_id}."]
    if trade.lots:
        grids.append(_lots_grid(trade.lots))
        notes.append(_lots_words(trade.lots))
    elif trade.side is Side.SELL:
        notes.append("No tax lots are recorded for what it sells, so no gain can be told.")
    if trade.side is Side.SELL and tax_kind in _SHELTERED:
        notes.append("Selling inside this account is not taxed.")
    return Section(
        title,
        level=3,
        paragraphs=tuple(notes),
        chart=waterfall(
            {name: micros / MICROS for name, micros in labelled.items()},
            f"{trade.side.value} {trade.symbol}",
            lambda value: shares(round(value * MICROS), is_signed=True),
            f"Shares of {_name(instruments, trade.symbol)} by cause; they sum to the trade.",
        ),
        grids=tuple(grids),
    )


def _causes_grid(trade: TradeFact) -> Grid:
    rows = [
        (CAUSE_LABELS[name], CAUSE_MEANINGS[name], shares(micros, is_signed=True))
        for name, micros in trade.causes_micros.items()
    ]
    total = sum(trade.causes_micros.values())
    return Grid(
        ("cause", "what it is", "shares"),
        (*rows, ("sum", f"the trade: {trade.side.value}", shares(total, is_signed=True))),
        numeric=1,
    )


def _lots_grid(lots: tuple[LotSale, ...]) -> Grid:
    return Grid(
        ("lot", "bought", "held", "shares", "proceeds", "paid for it", "gain", "loss not counted"),
        tuple(
            (
                _NOT_TOLD if lot.lot_id == NO_LOT else lot.lot_id,
                str(lot.acquired_date or _UNKNOWN),
                _term(lot.is_long_term),
                shares(lot.quantity_micros),
                dollars(lot.proceeds_cents),
                dollars(lot.basis_cents),
                dollars(lot.gain_cents, is_signed=True),
                _UNKNOWN if lot.gain_cents is None else dollars(lot.disallowed_cents),
            )
            for lot in lots
        ),
        numeric=5,
    )


def _lots_words(lots: tuple[LotSale, ...]) -> str:
    told = sum(lot.lot_id != NO_LOT for lot in lots)
    known = [lot.gain_cents for lot in lots if lot.gain_cents is not None]
    lost = sum(lot.disallowed_cents for lot in lots)
    parts = []
    if told:
        parts.append(f"It closes {told} tax lot{'' if told == 1 else 's'}, wholly or in part.")
    if told < len(lots):
        which = "Of some of its shares" if told else "Of these shares"
        parts.append(f"{which} it is not recorded when and at what price they were bought.")
    if known:
        noun = "loss" if sum(known) < 0 else "gain"
        parts.append(f"The {noun} is {dollars(abs(sum(known)))} after the fee.")
    if known and len(known) < len(lots):
        parts.append("That leaves out the shares for which nobody told us what was paid.")
    if not known:
        parts.append("So the gain is unknown.")
    if lost:
        parts.append(
            f"{dollars(lost)} of loss does not count for tax now, because the same or a like "
            "investment is bought within 30 days (wash sale)."
        )
    return " ".join(parts)


def _term(is_long_term: bool | None) -> str:
    if is_long_term is None:
        return _UNKNOWN
    return "over a year" if is_long_term else "a year or less"


def _name(instruments: Mapping[str, Instrument], symbol: str) -> str:
    if symbol == CASH:
        return "cash"
    found = instruments.get(symbol)
    return found.name if found else symbol
