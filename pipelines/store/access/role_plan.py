"""Which roles a PostgreSQL store is to have, as the settings and the environment ask for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa

from models.credentials import without_credentials
from pipelines.errors import SettingError
from pipelines.secrets import read_secret, require_strong
from pipelines.settings import Settings
from pipelines.store.engine import sqlite_path
from pipelines.store.failures import BUSY_SECONDS

ADMIN_URL = "STORE_ADMIN_URL"
APP_PASSWORD = "STORE_APP_PASSWORD"  # noqa: S105 - the variable's name
ANALYST_PASSWORD = "STORE_ANALYST_PASSWORD"  # noqa: S105
"""Variables without our prefix: the pipeline's own processes never get them."""

APP_SECONDS = BUSY_SECONDS - 15
"""How long an app's transaction may last: it ends before the pipeline, which may wait for its
locks, gives up."""

_STORE_URL = "SMARTINVEST_STORE_URL"
_APP_LIMITS = {
    "idle_in_transaction_session_timeout": "30s",
    "statement_timeout": f"{APP_SECONDS}s",
    "transaction_timeout": f"{APP_SECONDS}s",
}
_ANALYST_LIMITS = {
    "default_transaction_read_only": "on",
    "idle_in_transaction_session_timeout": "15min",
    "statement_timeout": "15min",
}


@dataclass(frozen=True)
class Role:
    """A role that logs in; ``limits`` are its sessions' settings unless it sets others."""

    name: str
    password: str | None = field(repr=False)
    limits: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RolePlan:
    """What is to be made: the database, its owner the pipeline, the app and the analyst."""

    admin_url: str = field(repr=False)
    database: str
    pipeline: Role
    app: Role
    analyst: Role

    @property
    def roles(self) -> tuple[Role, ...]:
        """All roles, the owner first."""
        return self.pipeline, self.app, self.analyst

    @property
    def readers(self) -> tuple[str, str]:
        """Names of those who may connect without owning anything."""
        return self.app.name, self.analyst.name


def read_role_plan(settings: Settings, environ: Mapping[str, str]) -> RolePlan:
    """Return what the settings and the environment ask for.

    The pipeline's role, its password and the database are those of ``SMARTINVEST_STORE_URL``; the
    passwords of the others come by ``STORE_APP_PASSWORD`` and ``STORE_ANALYST_PASSWORD``, the
    administrator's URL by ``STORE_ADMIN_URL``; each may be a file (``..._FILE``).

    Raises
    ------
    SettingError
        The store is no PostgreSQL database, or a secret is missing or weak.
    StoreError
        The URL names no store.
    """
    url = sa.make_url(settings.store_url) if sqlite_path(settings) is None else None
    if url is None:
        raise SettingError(
            f"setting {_STORE_URL}",
            without_credentials(settings.store_url),
            "SQLite has no roles: whoever may open the file may do anything",
            "Use PostgreSQL where apps or analysts reach the store, and keep the file's folder "
            "to yourself.",
        )
    if not url.username or not url.database:
        raise SettingError(
            f"setting {_STORE_URL}",
            without_credentials(settings.store_url),
            "it names no user or no database",
            "Use postgresql://smartinvest_pipeline:PASSWORD@HOST:PORT/smartinvest.",
        )
    admin_url = read_secret(environ, ADMIN_URL)
    if not admin_url:
        raise SettingError(
            f"secret {ADMIN_URL}",
            "",
            "it is not set",
            "Set it to the URL of a superuser of that server; it is needed here only.",
        )
    pipeline = Role(url.username, require_strong(f"{_STORE_URL} (its password)", _password(url)))
    app = Role(
        settings.store_app_role,
        require_strong(APP_PASSWORD, read_secret(environ, APP_PASSWORD)),
        _APP_LIMITS,
    )
    analyst = Role(
        settings.store_analyst_role,
        require_strong(ANALYST_PASSWORD, read_secret(environ, ANALYST_PASSWORD)),
        _ANALYST_LIMITS,
    )
    plan = RolePlan(admin_url, url.database, pipeline, app, analyst)
    _require_different(plan)
    return plan


def _password(url: sa.URL) -> str | None:
    return None if url.password is None else str(url.password)


def _require_different(plan: RolePlan) -> None:
    names = {role.name for role in plan.roles}
    passwords = {role.password for role in plan.roles}
    for what, different in (("name", len(names)), ("password", len(passwords))):
        if different < len(plan.roles):
            raise SettingError(
                "roles of the store",
                ", ".join(role.name for role in plan.roles),
                f"two of them have the same {what}",
                f"Give each a {what} of its own.",
            )
