"""Ask Airflow's own web application, with our plugins in it, without, with and for other users.

Reads from standard input, as JSON: ``runs`` that its database shall hold, ``paths`` to ask for, the
``plugin`` whose views are listed, the ``package`` of its pages, and (FAB only) ``users`` by name
with a role each. Prints the answers as one JSON line. It needs a process and a database of its own,
since Airflow reads its configuration when it is imported.
"""

import json
import os
import sys
from datetime import datetime
from importlib import import_module
from typing import Any

from airflow.api_fastapi.app import create_app
from airflow.models.dagrun import DagRun
from airflow.utils.session import create_session
from starlette.routing import Mount
from starlette.testclient import TestClient

MOMENTS = {"queued_at", "start_date", "end_date"}


def answer(client: TestClient, path: str) -> dict[str, Any]:
    response = client.get(path, follow_redirects=False)
    return {
        "status": response.status_code,
        "body": response.text,
        "headers": dict(response.headers),
    }


def log_in(client: TestClient, name: str) -> bool:
    """Let the client be a user from now on; say whether the user could log in."""
    client.headers.pop("Authorization", None)
    login = {"username": name, "password": os.environ["PASSWORD"]}
    response = client.post("/auth/token", json=login)
    if not response.is_success:
        return False
    client.headers["Authorization"] = f"Bearer {response.json()['access_token']}"
    return True


def add_users(users: dict[str, str]) -> None:
    """Give FAB users with one role each; a role that is not there is made, without permissions."""
    from airflow.providers.fab.www.app import create_app as create_flask_app

    app = create_flask_app(enable_plugins=False)
    with app.app_context():
        manager = app.appbuilder.sm
        for name, role in users.items():
            found = manager.find_role(role) or manager.add_role(role)
            mail = f"{name}@example.org"
            assert manager.add_user(name, name, name, mail, found, os.environ["PASSWORD"])


def main() -> None:
    wanted = json.load(sys.stdin)
    with create_session() as session:
        for run in wanted["runs"]:
            stored = DagRun(
                run_type="manual", **{name: run[name] for name in run if name not in MOMENTS}
            )
            for name in MOMENTS & run.keys():
                setattr(stored, name, datetime.fromisoformat(run[name]))
            session.add(stored)
    if wanted.get("users"):
        add_users(wanted["users"])
    app = create_app(apps="core")
    # What a plugin imports early, every process of Airflow imports.
    early = wanted["package"] in sys.modules
    mounted = sorted(route.path for route in app.routes if isinstance(route, Mount))
    client = TestClient(app)
    anonymous = {path: answer(client, path) for path in wanted["paths"]}
    others = {
        name: {path: answer(client, path) for path in wanted["paths"]}
        for name in wanted.get("users", {})
        if log_in(client, name)
    }
    log_in(client, "admin")
    known = others.get("admin") or {path: answer(client, path) for path in wanted["paths"]}
    views = [
        {key: view[key] for key in ("name", "href", "destination", "url_route")}
        for plugin in client.get("/api/v2/plugins").json()["plugins"]
        if plugin["name"] == wanted["plugin"]
        for view in plugin["external_views"]
    ]
    pages = import_module(f"{wanted['package']}.app").application()
    report = {
        "early": early,
        "mounted": mounted,
        "routes": sorted(route.path for route in pages.routes),
        "views": views,
        "anonymous": anonymous,
        "known": known,
        "others": others,
    }
    # On a line of its own, after whatever Airflow has printed.
    sys.stdout.write(f"\n{json.dumps(report)}\n")


if __name__ == "__main__":
    main()
