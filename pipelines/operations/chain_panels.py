"""Airflow's side of the page: its processes, the chain of the newest session, the DAGs beside."""

import datetime as dt
from collections.abc import Sequence
from urllib.parse import quote

from pipelines.operate.due import runs_by_itself
from pipelines.operations.airflow_state import AirflowState, DagRunState
from pipelines.operations.panels import Badge, Cell, Grid, Link, Panel, Verdict, worst
from pipelines.operations.words import age, count, duration, moment
from pipelines.sessions import available_at, newest_available
from pipelines.settings import Settings
from pipelines.wording import some

HAND_OVER = dt.timedelta(minutes=5)
"""A DAG that has not begun so long after the one before it ended waits for something."""

_LONG_AGO = dt.datetime.min.replace(tzinfo=dt.UTC)
_REPLAY = "replay"
_AHEAD = "not begun"


def run_link(run: DagRunState) -> Link:
    """Return a link to a run in Airflow's own pages."""
    # Relative to where the page is mounted, which may be behind a proxy with a path of its own.
    return Link(run.run_id, f"../dags/{quote(run.dag_id)}/runs/{quote(run.run_id)}", "_self")


def airflow_panel(state: AirflowState, now: dt.datetime) -> Panel:
    """Show whether Airflow's own processes are alive and its DAG files parse."""
    rows: list[list[Cell]] = []
    verdicts = []
    for beat in state.heartbeats:
        verdict = {True: Verdict.GOOD, False: Verdict.BAD, None: Verdict.GOOD}[beat.healthy]
        verdicts.append(verdict)
        word = {True: "alive", False: "no heartbeat", None: "not started"}[beat.healthy]
        rows.append([beat.name, Badge(word, verdict), age(beat.last_beat, now)])
    dead = [beat.name for beat in state.heartbeats if beat.healthy is False]
    broken = list(state.import_errors)
    if broken:
        verdicts.append(Verdict.BAD)
    if state.paused:
        verdicts.append(Verdict.ATTENTION)
    headline = (
        f"{' and '.join(dead)}: no heartbeat"
        if dead
        else f"{count(len(broken), 'DAG file does', 'DAG files do')} not parse"
        if broken
        else f"paused: {some(sorted(state.paused))}"
        if state.paused
        else "all processes alive"
    )
    notes = [f"It does not parse: {name}." for name in broken]
    if state.paused:
        notes.append(
            f"Paused, so nothing of it starts by itself: {', '.join(sorted(state.paused))}."
        )
    return Panel(
        "airflow",
        "Airflow",
        worst(verdicts),
        headline,
        (Grid(("process", "state", "last heartbeat"), rows),),
        tuple(notes),
    )


def chain_panel(
    settings: Settings, state: AirflowState, chain: Sequence[str], now: dt.datetime
) -> Panel:
    """Show each stage of the newest session: done, under way, late, failed or not begun.

    Parameters
    ----------
    chain : its DAGs, in order.
    """
    due = newest_available(now)
    polled = runs_by_itself(settings.source)
    missed = polled and (state.session is None or state.session < due)
    session = due if missed else state.session
    if session is None:
        return Panel(
            "chain",
            "Chain",
            Verdict.UNKNOWN,
            "no session was ever run",
            notes=("Trigger the DAG ingest with a session, or run it with `make run`.",),
        )
    runs = {} if missed else state.runs
    since = available_at(session) if polled else _LONG_AGO
    rows: list[list[Cell]] = []
    badges: list[Badge] = []
    before: DagRunState | None = None
    for place, dag_id in enumerate(chain):
        run = runs.get(dag_id)
        begun_after = since if place == 0 else (before.ended_at if before else None)
        badge = _badge(run, dag_id in state.paused, begun_after, now)
        badges.append(badge)
        rows.append(
            [
                dag_id,
                badge,
                run_link(run) if run else "-",
                moment(run.started_at) if run else "-",
                _took(run, now),
                ", ".join(run.failed_tasks) if run else "",
            ]
        )
        before = run if run and run.state == "success" else None
    done = sum(badge.text == "done" for badge in badges)
    told = [(badge, f"{dag_id} {badge.text}") for dag_id, badge in zip(chain, badges, strict=True)]
    wrong = [said for badge, said in told if badge.verdict is Verdict.BAD] or [
        said for badge, said in told if badge.verdict is Verdict.ATTENTION and badge.text != _AHEAD
    ]
    summary = (
        wrong[0] if wrong else "done" if done == len(chain) else f"{done} of {len(chain)} done"
    )
    columns = ("stage", "state", "run", "began", "took", "failed tasks")
    return Panel(
        "chain",
        "Chain",
        worst([badge.verdict for badge in badges]),
        f"{session}: {summary}",
        (Grid(columns, rows),),
    )


def _badge(
    run: DagRunState | None, paused: bool, begun_after: dt.datetime | None, now: dt.datetime
) -> Badge:
    if run is None:
        if begun_after is None or begun_after == _LONG_AGO or now < begun_after + HAND_OVER:
            return Badge(_AHEAD, Verdict.ATTENTION)
        why = ", paused" if paused else ""
        return Badge(f"late{why}: not begun", Verdict.BAD)
    if run.state == "success":
        if run.failed_tasks:
            return Badge("done, with failed tasks", Verdict.ATTENTION)
        return Badge("done", Verdict.GOOD)
    if run.unfinished:
        late = "late: " if run.deadline_missed else ""
        return Badge(f"{late}{run.state}", Verdict.BAD if late else Verdict.ATTENTION)
    return Badge(run.state, Verdict.BAD)


def _took(run: DagRunState | None, now: dt.datetime) -> str:
    if run is None or run.started_at is None:
        return "-"
    return duration(((run.ended_at or now) - run.started_at).total_seconds())


def beside_panel(state: AirflowState, beside: Sequence[str], now: dt.datetime) -> Panel:
    """Show the last run of each DAG beside the chain."""
    rows: list[list[Cell]] = []
    verdicts = []
    for dag_id in beside:
        run = state.beside.get(dag_id)
        if run is None:
            rows.append([dag_id, "never run", "-", "-", "-"])
            continue
        badge = _badge(run, dag_id in state.paused, None, now)
        verdicts.append(badge.verdict)
        ended = age(run.ended_at, now) if run.ended_at else "-"
        rows.append([dag_id, badge, run_link(run), ended, _took(run, now)])
    never = len(beside) - len(verdicts)
    wrong = sum(verdict is Verdict.BAD for verdict in verdicts)
    return Panel(
        "beside",
        "Beside the chain",
        worst(verdicts),
        f"{count(wrong, 'DAG')} failed last time"
        if wrong
        else f"{len(verdicts)} ran, {never} never did",
        (Grid(("DAG", "state", "run", "ended", "took"), rows),),
    )


def replay_panel(state: AirflowState, now: dt.datetime) -> Panel:
    """Show when a past run was last made again and compared with what was published."""
    run = state.beside.get(_REPLAY)
    title = "Replay self-check"
    if run is None:
        return Panel(
            "replay",
            title,
            Verdict.UNKNOWN,
            "never run",
            notes=("The DAG replay makes a published run again and compares every row.",),
        )
    words = {
        "success": ("same to the bit", Verdict.GOOD),
        "failed": ("failed, or rows differ", Verdict.BAD),
    }
    said, verdict = words.get(run.state, (run.state, Verdict.ATTENTION))
    row: list[Cell] = [run_link(run), Badge(said, verdict), moment(run.ended_at), _took(run, now)]
    when = f", {age(run.ended_at, now)}" if run.ended_at else ""
    grid = Grid(("run", "result", "ended", "took"), [row])
    return Panel("replay", title, verdict, f"{said}{when}", (grid,))
