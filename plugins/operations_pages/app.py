"""Routes of the operations page. Each answers only those who may see runs of DAG ``rebalance``.

Airflow mounts the applications of plugins without any authentication, so it is a dependency of the
whole application here, which has no other routes than these: no docs and no schema.
"""

import datetime as dt
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path as FilePath
from typing import Annotated

from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.common.db.common import SessionDep
from airflow.api_fastapi.core_api.security import requires_access_dag
from fastapi import Depends, FastAPI, HTTPException, Path, Request, Response
from fastapi.responses import FileResponse, HTMLResponse

from operations_pages.airflow_database import airflow_state
from pipelines.errors import LakeError, StoreError
from pipelines.operate.framed_page import HEADERS
from pipelines.operations import gather, lineage_page, message_page, operations_page
from pipelines.operations.documents import shared_document
from pipelines.settings import load_settings

DAG_ID = "rebalance"

_may_see = requires_access_dag("GET", DagAccessEntity.RUN, param_dag_id=DAG_ID)
_RunId = Annotated[str, Path(pattern=r"^[0-9a-f]{6,64}$")]

_DOCUMENTS = "docs"
_HEADERS_OF_DOCUMENTS = HEADERS | {
    # Made by dbt and Great Expectations on this machine, with scripts and styles of their own; they
    # too may load nothing from elsewhere.
    "Content-Security-Policy": (
        "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'self'; sandbox allow-scripts"
    ),
}


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
    app.get("/")(overview)
    app.get("/runs/{run_id}")(one_run)
    app.get(f"/{_DOCUMENTS}/{{path:path}}")(document)
    app.exception_handler(HTTPException)(_told)
    app.middleware("http")(_guarded)
    return app


def overview(database: SessionDep) -> str:
    """Show how everything stands."""
    settings, now = load_settings(), dt.datetime.now(dt.UTC)
    panels = gather(settings, airflow_state(database), now)
    return operations_page(panels, now, settings.source.value)


def one_run(request: Request, run_id: _RunId) -> str:
    """Show which tasks made an advice run, and from what."""
    now = dt.datetime.now(dt.UTC)
    try:
        page = lineage_page(load_settings(), run_id, _base(request), now)
    except StoreError as error:
        raise HTTPException(503, str(error)) from None
    if page is None:
        raise HTTPException(404, f"the store has no advice run {run_id}")
    return page


def document(path: str) -> Response:
    """Return a page that this home's commands made, or another machine's in a shared lake."""
    settings = load_settings()
    try:
        shared = shared_document(settings, path)
    except LakeError as error:
        raise HTTPException(503, str(error)) from None
    if shared is not None:
        return HTMLResponse(shared, headers=_HEADERS_OF_DOCUMENTS)
    folder = (settings.home / _DOCUMENTS).resolve()
    found = (folder / path).resolve()
    if not (found.is_relative_to(folder) and found.is_file()):
        raise HTTPException(404, f"there is no document {path}")
    return FileResponse(FilePath(found), headers=_HEADERS_OF_DOCUMENTS)


def _base(request: Request) -> str:
    return str(request.scope["root_path"])


async def _told(request: Request, error: HTTPException) -> Response:
    page = message_page(str(error.detail), _base(request))
    return HTMLResponse(page, error.status_code, error.headers)


async def _guarded(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await answer(request)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response
