"""Alembic without its command line: the migrations lie in this package."""

from pathlib import Path

import sqlalchemy as sa

from terrafusion_lib.core.errors import LoadError

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(engine: sa.Engine) -> None:
    """Apply the migrations that the database lacks, in one transaction.

    Raises
    ------
    LoadError
        The database was made by a newer version of TerraFusion.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    scripts = ScriptDirectory.from_config(config)
    known = {script.revision for script in scripts.walk_revisions()}
    with engine.connect().execution_options(immediate=True) as connection:
        current = MigrationContext.configure(connection).get_current_revision()
        if current == scripts.get_current_head():
            return
        if current is not None and current not in known:
            raise LoadError(
                f"The operational database is at revision {current}, which this version lacks",
                cause="it was made by a newer version of TerraFusion",
                hint="update TerraFusion",
            )
        if engine.dialect.name == "postgresql":
            lock = "SELECT pg_advisory_xact_lock(hashtext('terrafusion migrate'))"
            connection.exec_driver_sql(lock)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()
