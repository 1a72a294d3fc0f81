"""Runs the migrations on the connection that `queries.database.upgrade` hands over."""

from alembic import context

from queries.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
context.run_migrations()
