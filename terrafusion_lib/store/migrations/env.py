"""Runs the migrations on the connection that `migrate.upgrade` opened and commits."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table=context.config.attributes["version_table"],
    transactional_ddl=False,
)
context.run_migrations()
