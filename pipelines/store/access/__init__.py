"""Who may do what in a PostgreSQL store: the roles, their grants, and what guards their writes.

The pipeline's role owns the store and is no superuser. Apps log in as one that adds input rows,
under the database's own checks, and sends proposed trades; analysts as one that reads what is not
personal. SQLite has no roles: whoever may open the file may do anything.
"""

from pipelines.store.access.grants import grant_access
from pipelines.store.access.role_plan import Role, RolePlan, read_role_plan
from pipelines.store.access.roles import create_roles, make_database, make_role

__all__ = [
    "Role",
    "RolePlan",
    "create_roles",
    "grant_access",
    "make_database",
    "make_role",
    "read_role_plan",
]
