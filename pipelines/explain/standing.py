"""What an account without a target holds, and what is recorded against its client's inputs."""

from collections.abc import Iterator

import sqlalchemy as sa

from models.vocabulary import CASH
from pipelines.explain.amounts import dollars, shares, symbol_name
from pipelines.explain.document import Grid, Section
from pipelines.explain.facts import Issue, Run, Standing
from pipelines.store import tables

_MICROS_PER_CENT = 10_000


def read_standing(store: sa.Connection, account_id: str, client_id: str, run: Run) -> Standing:
    """Return what an account held when the run began, and what is recorded of its client now."""
    holding, issue = tables["holding"], tables["client_issue"]
    known = sa.and_(holding.c.account_id == account_id, holding.c.recorded_at <= run.started_at)
    newest = sa.select(sa.func.max(holding.c.version)).where(known).scalar_subquery()
    held = store.execute(
        sa.select(holding.c.symbol, holding.c.quantity_micros).where(
            known, holding.c.version == newest
        )
    )
    issues = store.execute(
        sa.select(issue.c.field, issue.c.cause, issue.c.remedy, issue.c.since)
        .where(issue.c.client_id == client_id)
        .order_by(issue.c.field, issue.c.issue_id)
    )
    return Standing(
        held_micros=tuple(sorted((row.symbol, row.quantity_micros) for row in held)),
        issues=tuple(
            Issue(row.field, row.cause, row.remedy, f"{row.since:%Y-%m-%d}") for row in issues
        ),
    )


def standing_sections(standing: Standing, has_target: bool) -> Iterator[Section]:
    """Yield what is held where no target tells of it, and issues where there are any."""
    if not has_target:
        rows = tuple(
            (
                symbol_name(symbol),
                dollars(micros // _MICROS_PER_CENT) if symbol == CASH else shares(micros),
            )
            for symbol, micros in standing.held_micros
        )
        words = () if rows else ("Nothing.",)
        yield Section("What it holds", paragraphs=words, grids=(_held(rows),))
    if standing.issues:
        yield Section(
            "What is recorded against the client's inputs today",
            grids=(
                Grid(
                    ("since", "field", "what is wrong", "remedy"),
                    tuple(
                        (each.since, each.field, each.cause, each.remedy)
                        for each in standing.issues
                    ),
                ),
            ),
        )


def _held(rows: tuple[tuple[str, str], ...]) -> Grid:
    return Grid(("symbol", "shares, or US dollars of cash"), rows, numeric=1)
