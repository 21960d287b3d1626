"""The page *Operations*: what ran, what is late or wrong, and where to look, without a terminal.

As with the other pages (``warehouse_results``), the application is imported when the API server is
first asked for it, since every process of Airflow imports every plugin.
"""

from typing import Any

from airflow.plugins_manager import AirflowPlugin

PREFIX = "operations"

_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 20 20' fill='none' "
    "stroke='{colour}' stroke-width='1.6'%3E%3Cpath d='M2 11h4l2-6 4 11 2-5h4'/%3E%3C/svg%3E"
)


async def pages(scope: Any, receive: Any, send: Any) -> None:
    """Answer a request by the pages' application."""
    from operations_pages.app import application

    await application()(scope, receive, send)


class OperationsPagePlugin(AirflowPlugin):
    """Registers the pages and their entry in the menu."""

    name = "operations_page"
    fastapi_apps = [  # noqa: RUF012
        {"app": pages, "url_prefix": f"/{PREFIX}", "name": "Operations"}
    ]
    external_views = [  # noqa: RUF012
        {
            "name": "Operations",
            "href": f"{PREFIX}/",
            "destination": "nav",
            "url_route": PREFIX,
            "icon": _ICON.format(colour="%23444"),
            "icon_dark_mode": _ICON.format(colour="%23ddd"),
        }
    ]
