"""Run the migrations on the connection that ``pipelines.store.migrate`` hands over."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    render_as_batch=True,
    # SQLite rolls DDL back when BEGIN was said explicitly, as the engine does.
    transactional_ddl=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
