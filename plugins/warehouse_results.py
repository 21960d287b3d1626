"""The tab *dbt results*: what each model and test of a warehouse build did, without reading a log.

Airflow loads every plugin in every process, also for each task, so the pages themselves
(``warehouse_pages``) are imported when the API server is first asked for one.
"""

from typing import Any

from airflow.plugins_manager import AirflowPlugin

PREFIX = "warehouse-results"

_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 20 20' fill='none' "
    "stroke='{colour}' stroke-width='1.6'%3E%3Cpath d='M3 5h9M3 10h6M3 15h4M11 13l2.5 2.5L18 10'/"
    "%3E%3C/svg%3E"
)
_RUN = f"{PREFIX}/run?dag_id={{DAG_ID}}&run_id={{RUN_ID}}"


async def pages(scope: Any, receive: Any, send: Any) -> None:
    """Answer a request by the pages' application."""
    from warehouse_pages.app import application

    await application()(scope, receive, send)


def _view(href: str, destination: str, route: str) -> dict[str, str]:
    return {
        "name": "dbt results",
        "href": href,
        "destination": destination,
        "url_route": route,
        "icon": _ICON.format(colour="%23444"),
        "icon_dark_mode": _ICON.format(colour="%23ddd"),
    }


class WarehouseResultsPlugin(AirflowPlugin):
    """Registers the pages, a menu entry for all builds and a tab on each run and task."""

    name = "warehouse_results"
    fastapi_apps = [  # noqa: RUF012
        {"app": pages, "url_prefix": f"/{PREFIX}", "name": "dbt results"}
    ]
    external_views = [  # noqa: RUF012
        {**_view(f"{PREFIX}/", "nav", PREFIX), "category": "browse"},
        _view(_RUN, "dag_run", f"{PREFIX}-of-run"),
        _view(_RUN, "task_instance", f"{PREFIX}-of-task"),
    ]
