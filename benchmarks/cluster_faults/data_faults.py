"""The source down for a day, the lake's disk full, and an account that nobody can advise on."""

import contextlib
import datetime as dt
import time
from pathlib import Path
from typing import Any

from benchmarks.cluster_faults.accounts import advice_of_others, issues_of, outcome_of, poison
from benchmarks.cluster_faults.fault import Fault, Recovery
from benchmarks.cluster_faults.ground import Ground
from benchmarks.cluster_faults.source_folder import bring_back, take_down
from pipelines.operate.summary import published_runs

_BALLAST = "ballast"
_BLOCK = bytes(1 << 16)


def _source_down(ground: Ground) -> Recovery:
    """Take the source down for one session; the next one's ingest brings the bars of both."""
    lost, following = ground.sessions.pop(0), ground.sessions.pop(0)
    take_down(ground.source)
    try:
        run = ground.api.trigger("ingest", lost)
        ended = ground.wait(lambda: ground.ended(run), f"the end of ingest of {lost}")
    finally:
        bring_back(ground.source)
    injected = time.monotonic()
    ground.api.trigger("ingest", following)
    story = f"ingest of {lost}: {ended.state}; then the source was back, and {following} was due"
    return _of_own_session(ground, following, injected, story)


def _disk_full(ground: Ground) -> Recovery:
    """Fill the small disk that the lake lies on, and make room once somebody was told."""
    session, alerts = ground.sessions.pop(0), ground.webhook.count
    ballast = ground.settings.lake / _BALLAST
    injected = time.monotonic()
    _fill(ballast)
    try:
        ground.api.trigger("ingest", session)
        with contextlib.suppress(TimeoutError):
            ground.wait(lambda: ground.webhook.count > alerts, "an alert", patience_s=180.0)
    finally:
        ballast.unlink()
    story = f"the lake's disk was full at the ingest of {session}; room was made after the alert"
    return _of_own_session(ground, session, injected, story)


def _fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(_BLOCK):
            pass


def _poison(ground: Ground) -> Recovery:
    """Give an account more shares than anybody has, and build and advise it anew."""
    account, after, seconds, broken = _poisoned(ground, 10**16)
    told = outcome_of(ground.settings, after, account.account_id)
    if told is None or told.outcome != "failed":
        broken.append(f"the account's outcome is {told and told.outcome}")
    said = f"{told.outcome}: {told.sentence}" if told else "no outcome"
    story = f"1e10 shares of each symbol in one account; {said}"
    return Recovery(
        story, seconds, after, is_reference=False, key=account.account_id, broken=tuple(broken)
    )


def _impossible(ground: Ground) -> Recovery:
    """Give an account so many shares that their worth is beyond 64 bits."""
    account, after, seconds, broken = _poisoned(ground, 9 * 10**18)
    causes = issues_of(ground.settings, account.client_id)
    if not causes:
        broken.append("the client has no issue on record")
    said = ", ".join(causes)
    story = f"9e12 shares of each symbol in one account; its client was left out: {said}"
    return Recovery(
        story, seconds, after, is_reference=False, key=account.client_id, broken=tuple(broken)
    )


def _poisoned(ground: Ground, quantity_micros: int) -> tuple[Any, str, float, list[str]]:
    """Poison an account of the newest session; return it, its new run, seconds, what broke."""
    session = ground.newest
    [before] = published_runs(ground.settings, session)
    account = poison(ground.settings, before, quantity_micros)
    injected = time.monotonic()
    ground.api.trigger("warehouse", session)
    ground.wait(
        lambda: before not in published_runs(ground.settings, session), "a run with the account"
    )
    [after] = published_runs(ground.settings, session)
    broken = []
    others = advice_of_others(ground.settings, before, account.client_id)
    if not others or others != advice_of_others(ground.settings, after, account.client_id):
        broken.append("others are advised otherwise than before")
    return account, after, time.monotonic() - injected, broken


def _of_own_session(ground: Ground, session: dt.date, injected: float, story: str) -> Recovery:
    try:
        run_id = ground.chain_of(session)
    except TimeoutError as error:
        return Recovery(f"{story}; {error}", None, "", is_reference=False)
    return Recovery(story, time.monotonic() - injected, run_id, is_reference=False)


DATA_FAULTS = (
    Fault(
        "source down for a day",
        "the session's ingest fails and says so; the next session brings both days",
        r"source",
        _source_down,
    ),
    Fault(
        "disk full in the lake",
        "nothing half-written stays; once there is room the retry goes on",
        r"no space|disk|full",
        _disk_full,
    ),
    Fault(
        "poison account",
        "it fails alone, with a sentence; all others are advised as without it",
        r"AccountsFailed",
        _poison,
    ),
    Fault(
        "poison account beyond 64 bits",
        "its client is left out, with the reason on record; all others are advised as before",
        r"ClientsLeftOut",
        _impossible,
    ),
)
