"""Runs the migrations on the connection that `migrate.upgrade` opened and commits."""

from alembic import context

from terrafusion_lib.store.models import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,
)
context.run_migrations()
