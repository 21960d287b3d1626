"""An explanation in sections: what happened, the trades, and what they rest on."""

from collections.abc import Iterator

from models.vocabulary import Constraint, RunStatus
from pipelines.explain.amounts import dollars, number, percent
from pipelines.explain.document import Document, Grid, Section
from pipelines.explain.facts import AccountAdvice, Explanation, Run
from pipelines.explain.prospect_sections import forecast_section, goal_section
from pipelines.explain.standing import standing_sections
from pipelines.explain.target_sections import target_sections
from pipelines.explain.trade_sections import no_trade_section, trade_sections
from pipelines.explain.words import (
    OUTCOME_WORDS,
    RELAXED_WORDS,
    STATUS_WORDS,
    trigger_words,
)

_FILES_ON_TERMINAL = 8
_TOLERANCE_WORDS = (
    "Zero would be the exact optimum; a target above the tolerance of the house's rules is never "
    "written."
)


def document(explained: Explanation) -> Document:
    """Return everything that is told, in the order in which it is told."""
    return Document(explained.title, tuple(_sections(explained)))


def _sections(explained: Explanation) -> Iterator[Section]:
    if explained.run.status != RunStatus.PUBLISHED:
        yield Section(
            "Not today's advice",
            paragraphs=(f"This run is {STATUS_WORDS[explained.run.status]}.",),
        )
    for account in explained.accounts:
        yield _outcome(account)
        yield from standing_sections(account.standing, has_target=bool(account.weights))
        yield from trade_sections(explained, account)
        yield no_trade_section(explained, account)
        yield from target_sections(explained, account)
        yield forecast_section(explained, account)
        yield goal_section(account)
        yield _certificate(account)
    yield _lineage(explained)


def _outcome(account: AccountAdvice) -> Section:
    outcome = account.outcome
    kinds = ", ".join(
        kind.replace("_", " ") for kind in (account.tax_kind, account.share_kind) if kind
    )
    rows = [
        ("outcome", f"{outcome.outcome.value}: {OUTCOME_WORDS[outcome.outcome]}"),
        ("trigger", f"{outcome.trigger.value}: {trigger_words(outcome.trigger)}"),
        ("drift", f"{percent(outcome.drift)} of its worth is not where the target wants it"),
        ("limits that gave way", _relaxed_words(outcome.relaxed)),
        ("risk score", "none" if outcome.risk_score is None else f"{outcome.risk_score} of 100"),
        ("worth", dollars(outcome.wealth_cents)),
        (
            "cash",
            f"{dollars(outcome.cash_before_cents)} before + sells {dollars(outcome.sells_cents)} - "
            f"buys {dollars(outcome.buys_cents)} - fees {dollars(outcome.fees_cents)} = "
            f"{dollars(outcome.cash_after_cents)} after",
        ),
    ]
    if outcome.drift is None:
        rows[2] = ("drift", "unknown: there is no target to measure it from")
    return Section(
        f"Account {outcome.account_id}" + (f" ({kinds})" if kinds else ""),
        level=1,
        paragraphs=(outcome.sentence,),
        grids=(Grid(("what", "value"), tuple(rows)),),
    )


def _relaxed_words(relaxed: tuple[Constraint, ...]) -> str:
    return "; ".join(f"{name.value}: {RELAXED_WORDS[name]}" for name in relaxed) or "none"


def _certificate(account: AccountAdvice) -> Section:
    title = "Certificate of the target"
    certified = account.target_outcome
    if certified is None or certified.kkt_residual is None:
        why = "There is none: no optimum was asked for or none was found for this account."
        return Section(title, paragraphs=(why,))
    return Section(
        title,
        paragraphs=(_TOLERANCE_WORDS,),
        grids=(
            Grid(
                ("figure", "value"),
                (
                    ("solver", str(certified.solver)),
                    ("largest violation of the optimality conditions (KKT residual, scaled)",
                     number(certified.kkt_residual)),
                    ("utility at the optimum, over the horizon (objective)",
                     number(certified.objective, 10)),
                    ("certified by run", certified.run_id),
                ),
            ),
        ),
    )  # fmt: skip


def _lineage(explained: Explanation) -> Section:
    symbols = sorted({trade.symbol for each in explained.accounts for trade in each.trades})
    with_rows = any(file.rows_of_symbols is not None for file in explained.files)
    columns: tuple[str, ...] = ("file of the lake", "SHA-256", "rows")
    names = symbols[0] if len(symbols) == 1 else "traded symbols"
    files = tuple(
        (
            file.path,
            file.digest,
            *((_count(file.rows_of_symbols),) if with_rows else ()),
            _count(file.rows),
        )
        for file in explained.files
    )
    if with_rows:
        columns = ("file of the lake", "SHA-256", f"rows of {names}", "rows")
    note = (
        f"The run was made from {len(files)} files and nothing else; their digests are those of "
        "the bytes that it read. `smartinvest replay` makes it again from them."
    )
    earlier = {
        each.target_run.run_id: each.target_run
        for each in explained.accounts
        if each.target_run is not None and not each.is_target_new
    }
    return Section(
        "Where it comes from",
        level=1,
        paragraphs=(note,),
        grids=(
            *(_run_grid(run) for run in (explained.run, *earlier.values())),
            Grid(columns, files, numeric=len(columns) - 2, most_on_terminal=_FILES_ON_TERMINAL),
        ),
    )


def _run_grid(run: Run) -> Grid:
    moment = "%Y-%m-%d %H:%M:%S UTC"
    return Grid(
        ("run", run.run_id),
        (
            ("status", STATUS_WORDS[run.status]),
            ("session", str(run.session_date)),
            ("market data", run.source),
            ("data snapshot", run.data_snapshot),
            ("features", run.feature_hash),
            ("model", f"{run.model_name} version {run.model_version}"),
            ("MLflow run", run.mlflow_run_id),
            ("code", run.code_version),
            ("configuration", run.config_hash),
            ("earlier runs", run.history_hash),
            ("supersedes", run.supersedes or "none"),
            ("begun", run.started_at.strftime(moment)),
            ("published", run.published_at.strftime(moment) if run.published_at else "never"),
        ),
    )


def _count(rows: int | None) -> str:
    return "-" if rows is None else f"{rows:,}"
