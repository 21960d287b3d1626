"""The SQL store itself: its schema, and who may do what in it."""

import os

import typer

from pipelines.cli.common import out
from pipelines.settings import load_settings

app = typer.Typer(help="The SQL store: its schema and its roles.", no_args_is_help=True)


@app.command()
def roles() -> None:
    """Make or mend the roles of a PostgreSQL store: pipeline, app and analyst, with their grants.

    The pipeline's role and the database are those of SMARTINVEST_STORE_URL. STORE_ADMIN_URL is that
    of a superuser, STORE_APP_PASSWORD and STORE_ANALYST_PASSWORD are the others' passwords. Each
    may come by a file, in ..._FILE. It may run again at any time, and should after an upgrade.
    """
    from pipelines.store import migrate, transaction
    from pipelines.store.access import create_roles, grant_access, read_role_plan

    settings = load_settings()
    plan = read_role_plan(settings, os.environ)
    create_roles(plan)
    migrate(settings)
    with transaction(settings) as connection:
        grant_access(settings, connection)
    out.print(
        f"database {plan.database}: owned by {plan.pipeline.name}; {plan.app.name} adds inputs, "
        f"{plan.analyst.name} reads what is not personal"
    )


@app.command()
def migrate() -> None:
    """Create the store or bring its schema to this release; nothing where it is there already."""
    from pipelines.settings import ensure_home
    from pipelines.store import migrate as migrate_store
    from pipelines.store import shown_url

    settings = load_settings()
    ensure_home(settings)
    migrate_store(settings)
    out.print(f"store {shown_url(settings)} is of this release")
