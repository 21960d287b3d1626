"""Routes of the pages. Each answers only those who may see task instances of DAG ``warehouse``.

Airflow mounts the applications of plugins without any authentication, so it is a dependency of the
whole application here, which has no other routes than these: no docs and no schema.
"""

import datetime as dt
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Annotated, Literal

import sqlalchemy as sa
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.common.db.common import SessionDep
from airflow.api_fastapi.core_api.security import requires_access_dag
from airflow.models.dagrun import DagRun
from fastapi import Depends, FastAPI, HTTPException, Path, Request, Response
from fastapi.responses import HTMLResponse

from pipelines.build_results import BuildAttempt, attempts_of, newest_attempts, read_attempt
from pipelines.errors import WarehouseError
from pipelines.operate.framed_page import HEADERS
from pipelines.settings import load_settings
from warehouse_pages import pages

DAG_ID = "warehouse"

_may_see = requires_access_dag("GET", DagAccessEntity.TASK_INSTANCE, param_dag_id=DAG_ID)
_may_see_run = requires_access_dag("GET", DagAccessEntity.RUN)
_AttemptId = Annotated[str, Path(pattern=r"^\d{8}T\d{12}Z$")]
_Sort = Literal["", "model", "rows", "seconds"]


@cache
def application() -> FastAPI:
    """Return the application of all pages."""
    app = FastAPI(
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(_may_see)],
        default_response_class=HTMLResponse,
    )
    app.get("/")(all_builds)
    app.get("/builds/{session}/{attempt_id}")(one_build)
    app.get("/run", dependencies=[Depends(_may_see_run)])(builds_of_run)
    app.exception_handler(HTTPException)(_told)
    app.middleware("http")(_guarded)
    return app


def all_builds(request: Request) -> str:
    """Show every build whose results are kept, newest first."""
    settings = load_settings()
    return pages.all_builds(_base(request), settings, newest_attempts(settings))


def one_build(request: Request, session: dt.date, attempt_id: _AttemptId, sort: _Sort = "") -> str:
    """Show one build: what failed and why, then every model with its tests."""
    settings = load_settings()
    try:
        attempt = read_attempt(settings, session, attempt_id)
    except WarehouseError as error:
        raise HTTPException(404, str(error)) from None
    return pages.one_build(_base(request), settings, attempt, sort)


def builds_of_run(
    request: Request, database: SessionDep, dag_id: str, run_id: str, sort: _Sort = ""
) -> str:
    """Show the build that a DAG run made, or the one of its session that it works on."""
    run = database.scalar(sa.select(DagRun).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id))
    if run is None:
        raise HTTPException(404, f"DAG {dag_id} has no run {run_id}")
    session = _session_of(run)
    if session is None:
        return pages.nothing("This run has no session, so no build of the warehouse belongs to it.")
    settings = load_settings()
    attempts = attempts_of(settings, session)
    if not attempts:
        return pages.nothing(
            f"No dbt build of session {session} has ended yet. If this run failed, it was before "
            "or outside dbt: the log of its task says why."
        )
    shown, note = _build_for(run, session, attempts)
    return pages.one_build(_base(request), settings, shown, sort, note)


def _build_for(
    run: DagRun, session: dt.date, attempts: list[BuildAttempt]
) -> tuple[BuildAttempt, str]:
    """Return the build to show for a run, and why it is that one, where the run did not make it."""
    own = [attempt for attempt in attempts if attempt.started_by == run.run_id]
    good = [attempt for attempt in attempts if attempt.passed]
    if run.dag_id == DAG_ID and own:
        if run.state in ("queued", "running"):
            return own[0], "The run goes on; here is its last dbt build that has ended."
        return own[0], ""
    if run.dag_id == DAG_ID and run.state != "success":
        return attempts[0], (
            "dbt has not ended in this run. If the run failed, the log of its task says why; this "
            f"is the newest build of session {session}, made by another run."
        )
    shown = (good or attempts)[0]
    later = "; a later one failed" if shown != attempts[0] else ""
    if run.dag_id == DAG_ID:
        return shown, f"This run found its session's build ready and made none{later}."
    return shown, f"The build of session {session}, made by the DAG {DAG_ID}{later}."


def _session_of(run: DagRun) -> dt.date | None:
    named = run.partition_key or (run.conf or {}).get("session") or ""
    try:
        return dt.date.fromisoformat(named)
    except ValueError:
        return None


def _base(request: Request) -> str:
    return str(request.scope["root_path"])


async def _told(_request: Request, error: HTTPException) -> Response:
    return HTMLResponse(pages.nothing(error.detail), error.status_code, error.headers)


async def _guarded(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await answer(request)
    response.headers.update(HEADERS)
    return response
