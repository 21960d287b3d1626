"""What others than the pipeline wrote into the store: who, when, what stood there before and after.

PostgreSQL's triggers write it, in the transaction of the change; SQLite has no roles to tell apart,
so there it stays empty. Personal values are hidden in it: a former name is needed by nobody.
"""

from models.declaration import Table, integer, text, timestamp
from models.vocabulary import AuditAction

AUDIT_ENTRY = Table(
    name="audit_entry",
    grain="one row per row that a database role other than the pipeline's wrote; never changed",
    key=("entry_id",),
    columns=(
        integer("entry_id", "number given by the database, rising", "count", at_least=1),
        timestamp("written_at", "when it was written, by the database's clock"),
        text("written_by", "database role that had logged in"),
        text(
            "client_address",
            "address that it was connected from; null: a socket of the server's machine",
            nullable=True,
        ),
        text("transaction_id", "the database's transaction: what was written together"),
        text("table_name", "table written to"),
        text("action", "what was done", allowed=AuditAction),
        text("row_key", "key of the row, as a JSON object"),
        text("changed_columns", "columns whose values it changed, as a JSON list"),
        text(
            "old_row",
            "the row before as a JSON object, personal values as ***; null: there was none",
            nullable=True,
        ),
        text(
            "new_row",
            "the row after as a JSON object, personal values as ***; null: there is none",
            nullable=True,
        ),
    ),
    indexes=(("table_name", "written_at"),),
)
