"""Ask Airflow's own web application, with our plugins in it, without and with a user.

Reads from standard input, as JSON, the DAG runs that its database shall hold and the paths to ask
for; prints the answers as one JSON line. It needs a process and a database of its own, since
Airflow reads its configuration when it is imported.
"""

import json
import os
import sys
from typing import Any

from airflow.api_fastapi.app import create_app
from airflow.models.dagrun import DagRun
from airflow.utils.session import create_session
from starlette.routing import Mount
from starlette.testclient import TestClient


def answer(client: TestClient, path: str) -> dict[str, Any]:
    response = client.get(path, follow_redirects=False)
    return {
        "status": response.status_code,
        "body": response.text,
        "headers": dict(response.headers),
    }


def main() -> None:
    wanted = json.load(sys.stdin)
    with create_session() as session:
        for run in wanted["runs"]:
            session.add(DagRun(run_type="manual", **run))
    app = create_app(apps="core")
    # What a plugin imports early, every process of Airflow imports.
    early = "warehouse_pages" in sys.modules
    mounted = sorted(route.path for route in app.routes if isinstance(route, Mount))
    client = TestClient(app)
    anonymous = {path: answer(client, path) for path in wanted["paths"]}
    login = {"username": "admin", "password": os.environ["PASSWORD"]}
    token = client.post("/auth/token", json=login).json()["access_token"]
    client.headers["Authorization"] = f"Bearer {token}"
    known = {path: answer(client, path) for path in wanted["paths"]}
    views = [
        {key: view[key] for key in ("name", "href", "destination", "url_route")}
        for plugin in client.get("/api/v2/plugins").json()["plugins"]
        if plugin["name"] == "warehouse_results"
        for view in plugin["external_views"]
    ]
    from warehouse_pages.app import application

    routes = sorted(route.path for route in application().routes)
    report = {
        "early": early,
        "mounted": mounted,
        "routes": routes,
        "views": views,
        "anonymous": anonymous,
        "known": known,
    }
    # On a line of its own, after whatever Airflow has printed.
    sys.stdout.write(f"\n{json.dumps(report)}\n")


if __name__ == "__main__":
    main()
