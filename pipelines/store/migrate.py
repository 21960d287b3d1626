"""Bring the store to the schema of this release."""

import logging
import re
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError

from pipelines.errors import StoreError
from pipelines.settings import Settings
from pipelines.store.access.grants import grant_access
from pipelines.store.engine import is_current, migration, schema_version
from pipelines.store.failures import STORE_URL, shown_url
from pipelines.store.schema import SCHEMA_VERSION

logger = logging.getLogger(__name__)

_NOT_AS_LEFT = re.compile(
    r"already exists|does not exist|no such (table|column|index|view)|duplicate column|no .* in: "
)
"""What databases and our migrations say where something is missing, or there already."""

MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(settings: Settings) -> None:
    """Create the store or upgrade it, in one transaction; return at once where nothing is due.

    Raises
    ------
    StoreError
        The store is unreachable, locked, read-only, newer than this code, or not what its version
        says.
    """
    if is_current(settings):
        return
    with migration(settings) as connection:
        found = schema_version(connection)
        if found == SCHEMA_VERSION:
            return
        _upgrade(settings, connection, found)
        # Tables and views that a migration makes are nobody's but the owner's.
        grant_access(settings, connection)
    logger.info("store %s migrated from %s to %s", shown_url(settings), found, SCHEMA_VERSION)


def _upgrade(settings: Settings, connection: sa.Connection, found: str | None) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise StoreError(
            STORE_URL,
            shown_url(settings),
            f"its schema version {found} is newer than this code, which knows {SCHEMA_VERSION}",
            "Use the release that wrote it, or a newer one.",
        )
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, SCHEMA_VERSION)
    except (DatabaseError, ValueError) as error:
        if not _NOT_AS_LEFT.search(str(error)):
            raise
        raise StoreError(
            STORE_URL,
            shown_url(settings),
            f"its tables are not those of its schema version {found or 'none'} "
            f"({getattr(error, 'orig', error)})",
            "An unfinished release made it: restore a backup, or choose a new store; nothing was "
            "changed in this one.",
        ) from error
