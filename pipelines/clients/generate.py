"""Seeded, plausible clients, the same for the same seed."""

import logging
import random
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from models.store_inputs import CLIENT, CLIENT_IDENTITY
from pipelines.clients.ledgers import draw_cash_flows, draw_lots
from pipelines.clients.market import Market, market_of, with_past
from pipelines.clients.names import address_of, draw_name
from pipelines.clients.people import draw_person, draw_questionnaire
from pipelines.clients.portfolios import draw_accounts, draw_goals, draw_preferences
from pipelines.clients.records import Client, Identity
from pipelines.clients.saving import save_clients
from pipelines.clients.terminal import terminal_text
from pipelines.clients.versions import Recording, select_by
from pipelines.errors import ClientInputError
from pipelines.progress import step, track
from pipelines.sessions import available_at
from pipelines.settings import Settings
from pipelines.store import connect, tables, transaction

if TYPE_CHECKING:
    from rich.text import Text
    from sqlalchemy import Connection

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class GenerateReport:
    """What generating did: ``added`` clients are new, ``present`` ones were there before."""

    count: int
    seed: int
    session: str
    added: int
    present: int

    def __str__(self) -> str:
        if not self.added:
            return f"nothing to do: all {self.count} clients of seed {self.seed} are there"
        there = f"; {self.present} were there already" if self.present else ""
        return (
            f"generated {self.added} clients of seed {self.seed}, "
            f"worth what they are at the close of {self.session}{there}"
        )

    def __rich__(self) -> "Text":
        return terminal_text(self)


def generate(settings: Settings, count: int, seed: int) -> GenerateReport:
    """Add the first ``count`` clients of a seed to the store, in one short transaction.

    Client *i* of a seed depends on the seed, *i* and the market alone, so a larger count adds to
    a smaller one. A client who is there already stays as it is, whatever happened to it since.
    Everything speaks of the settings' session (the source's newest if unset) and is recorded at
    the moment from which that session's prices are known, so that equal inputs give equal rows.

    Raises
    ------
    ClientInputError
        The count is below one, the source has no tradable instrument with a price, or a client
        who was imported bears a reference that a generated one would get. Nothing was written.
    SessionError, SourceError, StoreError
        The market or the store cannot be read, or the store cannot be written.
    """
    if count < 1:
        raise ClientInputError("count", count, "it is below 1", "Ask for at least one client.")
    market = market_of(settings)
    if not market.price_micros:
        raise ClientInputError(
            "setting SMARTINVEST_SOURCE",
            settings.source,
            f"it has no price of a tradable instrument on {market.session}",
            "Choose a later session.",
        )
    market = with_past(settings, market)
    recording = Recording(available_at(market.session), f"clients generate, seed {seed}")
    with step(f"generating {count} clients"):
        wanted = {_client_id(seed, index): index for index in range(1, count + 1)}
        with connect(settings) as connection:
            present = _present(connection, wanted)
        missing = sorted(index for key, index in wanted.items() if key not in present)
        drawn = {
            _client_id(seed, index): draw_client(seed, index, market)
            for index in track(missing, "generating clients")
        }
        # Drawing takes long, so others may write meanwhile: what they did is looked up again.
        with transaction(settings) as connection:
            present = _present(connection, wanted)
            added = {key: client for key, client in drawn.items() if key not in present}
            _require_free_references(connection, added.values())
            saved = save_clients(connection, added, recording)
    report = GenerateReport(count, seed, str(market.session), saved.added, len(present))
    logger.info("%s", report)
    return report


def _present(connection: "Connection", keys: Collection[str]) -> set[str]:
    column = tables[CLIENT.name].c.client_id
    return {row["client_id"] for row in select_by(connection, column, keys)}


def _require_free_references(connection: "Connection", clients: Iterable[Client]) -> None:
    column = tables[CLIENT_IDENTITY.name].c.external_ref
    refs = {client.identity.external_ref for client in clients}
    if taken := sorted(row["external_ref"] for row in select_by(connection, column, refs)):
        raise ClientInputError(
            "external_ref",
            taken[0],
            f"{len(taken)} reference(s) of this seed's clients belong to clients of another origin",
            "Choose another seed; nothing was written.",
        )


def draw_client(seed: int, index: int, market: Market) -> Client:
    """Draw client number ``index`` (from 1) of a seed."""
    rng = _stream(seed, index, "life")
    name = draw_name(rng)
    person = draw_person(rng)
    answers = draw_questionnaire(rng, person)
    goals = draw_goals(rng, person, answers, market.session)
    accounts = draw_accounts(rng, goals, person.boldness, market)
    lots, plans = _stream(seed, index, "lots"), _stream(seed, index, "plans")
    goal_of = {goal.number: goal for goal, _ in goals}
    accounts = [
        replace(
            account,
            lots=draw_lots(lots, account, market),
            cash_flows=draw_cash_flows(
                plans, person, answers, goal_of[account.goal_number], account, market
            ),
        )
        for account in accounts
    ]
    return Client(
        identity=Identity(
            external_ref=f"generated-{seed}-{index:06d}",
            full_name=name,
            email=address_of(name, index),
            birth_date=person.birth_date(market.session),
        ),
        questionnaire=answers,
        preferences=draw_preferences(rng, market),
        goals=tuple(goal for goal, _ in goals),
        accounts=tuple(accounts),
    )


def _client_id(seed: int, index: int) -> str:
    """Return the surrogate key: random bits of a stream that nothing else is drawn from."""
    return str(uuid.UUID(int=_stream(seed, index, "key").getrandbits(128), version=4))


def _stream(seed: int, index: int, purpose: str) -> random.Random:
    return random.Random(f"{seed}/{index}/{purpose}")  # noqa: S311 - must repeat, not surprise
