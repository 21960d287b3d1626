"""An account's target beside what was held, what holds it there, and what other views would do."""

from collections import Counter
from collections.abc import Iterator

from models.vocabulary import CASH, Constraint
from pipelines.explain.amounts import percent, symbol_name
from pipelines.explain.charts import beside
from pipelines.explain.document import Grid, Section
from pipelines.explain.facts import AccountAdvice, Explanation, Weight
from pipelines.explain.words import VIEW_WORDS, binding_words
from pipelines.rebalance.policy import Policy

_TELLING = 0.0005
"""A difference between views from which on it is told: a tenth of a percent, rounded."""


def target_sections(explained: Explanation, account: AccountAdvice) -> Iterator[Section]:
    """Yield the target, and the targets of the three views."""
    if not account.weights:
        yield Section("Target", paragraphs=("No target is in force for this account.",))
        return
    yield _target(explained, account)
    yield _views(account)


def _target(explained: Explanation, account: AccountAdvice) -> Section:
    made = account.target_run
    note = (
        "Shares of the account's worth. Held means before the trades; what cannot be traded counts "
        "with cash."
        if account.is_target_new or made is None
        else f"The target still stands that run {made.run_id} wrote for {made.session_date}; held "
        "means what was held then."
    )
    rows = tuple(
        (
            symbol_name(each.symbol),
            binding_words(each),
            percent(each.held),
            percent(each.target),
            percent(each.target - each.held, is_signed=True),
            f"{percent(each.lower)} to {percent(each.upper)}",
        )
        for each in account.weights
        if _is_told(each, explained.symbol)
    )
    # Cash stands in the table alone: beside it, everything else would be too short to see.
    shown = [each for each in account.weights if (each.held or each.target) and each.symbol != CASH]
    return Section(
        "Target beside what was held",
        paragraphs=(note, *_sharing_words(account), *_binding_words(explained, account)),
        chart=beside(
            [symbol_name(each.symbol) for each in shown],
            {"held": [each.held for each in shown], "target": [each.target for each in shown]},
            percent,
            "Held and target without cash, as shares of the account",
        ),
        grids=(
            Grid(
                ("symbol", "what holds it there", "held", "target", "change", "allowed"),
                rows,
                numeric=4,
            ),
            *_not_wanted(account.weights, explained.symbol),
        ),
    )


def _is_told(weight: Weight, symbol: str | None) -> bool:
    return bool(weight.held or weight.target) or weight.symbol == symbol


def _not_wanted(weights: tuple[Weight, ...], symbol: str | None) -> tuple[Grid, ...]:
    names = [each.symbol for each in weights if not _is_told(each, symbol)]
    return (Grid(("neither held nor wanted",), ((", ".join(names),),)),) if names else ()


def _sharing_words(account: AccountAdvice) -> Iterator[str]:
    goal, wealth = account.goal, account.outcome.wealth_cents
    if goal is not None and wealth is not None and goal.wealth_cents != wealth:
        yield (
            "The goal has other accounts too. Limits hold for all of them together; allowed is "
            "what this one may hold if the others hold none of it."
        )


def _binding_words(explained: Explanation, account: AccountAdvice) -> Iterator[str]:
    weights = account.weights
    binding = Counter(each.constraint for each in weights if each.target and each.symbol != CASH)
    if binding[Constraint.SUITABILITY]:
        safe = Policy().safe_classes
        classes = {
            symbol: instrument.asset_class for symbol, instrument in explained.instruments.items()
        }
        risky = sum(
            each.target for each in weights if classes.get(each.symbol) not in (*safe, None)
        )
        offer = (
            "Nothing on offer here is safe but cash itself: there are no bonds. So what is left "
            "stays in cash."
            if not set(classes.values()) & set(safe)
            else "What is left goes to bonds and cash."
        )
        yield (
            "The shared limit on risk is reached. Your risk score, your goal and its date allow "
            f"only so much in investments that can fall far in price; here it is {percent(risky)} "
            f"of the account. All of these share that limit, so each could grow only if another "
            f"shrank. {offer}"
        )
    if binding[Constraint.CLASS_LIMIT]:
        yield "A kind of investment (such as technology) is at the most that we let it weigh."
    if binding[Constraint.TURNOVER]:
        yield "The target goes only as far as the limit on trading at once allows; more may follow."
    if binding[Constraint.CLIENT_WISH]:
        yield "Where your own wish is named, we would hold more (or some) of it without that wish."


def _views(account: AccountAdvice) -> Section:
    title = "The same account under other forecasts"
    if not account.views:
        return Section(title, paragraphs=("The run kept no targets of other views.",))
    names = [VIEW_WORDS[view] for view in account.views]
    symbols = [
        each.symbol
        for each in account.weights
        if any(view.get(each.symbol) for view in account.views.values())
    ]
    table = {
        symbol: [view.get(symbol, 0.0) for view in account.views.values()] for symbol in symbols
    }
    invested = [symbol for symbol in symbols if symbol != CASH]
    widest = max((max(row) - min(row) for row in table.values()), default=0.0)
    words = (
        "The views agree: whose forecasts are believed moves nothing here."
        if widest < _TELLING
        else f"At most {percent(widest)} of the account hangs on whose forecasts are believed."
    )
    note = "All else equal; only the view changes that the forecasts come from."
    return Section(
        title,
        paragraphs=(note, words),
        chart=beside(
            invested,
            {name: [table[each][place] for each in invested] for place, name in enumerate(names)},
            lambda _: "",
            "Targets under each view, without cash",
        )
        if widest >= _TELLING
        else None,
        grids=(
            Grid(
                ("symbol", *names),
                tuple((symbol_name(name), *map(percent, row)) for name, row in table.items()),
                numeric=len(names),
            ),
        ),
    )
