"""Alembic without its command line: migrations of the platform, then those of each plugin.

Each history has its own version table, so a plugin can be installed, upgraded and removed without
affecting others.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from terrafusion_lib.core.declared import declared_plugins
from terrafusion_lib.core.errors import LoadError

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"


@dataclass(frozen=True)
class History:
    """A sequence of migrations and the table that records the database's revision."""

    owner: str
    versions: Path
    version_table: str

    def config(self) -> "Config":
        """Alembic's configuration."""
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.set_main_option("version_locations", str(self.versions))
        config.set_main_option("path_separator", "newline")
        config.attributes["version_table"] = self.version_table
        return config


PLATFORM = History("TerraFusion", MIGRATIONS / "versions", "alembic_version")


def histories() -> list[History]:
    """The platform's migrations, then those of plugins, by name."""
    return [
        PLATFORM,
        *(
            History(f"plugin {name}", plugin.migrations, f"alembic_version_{name}")
            for name, plugin in declared_plugins().items()
            if plugin.migrations
        ),
    ]


def upgrade(engine: sa.Engine) -> None:
    """Apply missing migrations, each history in one transaction.

    Raises
    ------
    LoadError
        The database was created by a newer version of TerraFusion or a plugin.
    """
    for history in histories():
        _upgrade(engine, history)


def _upgrade(engine: sa.Engine, history: History) -> None:
    from alembic import command
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    config = history.config()
    scripts = ScriptDirectory.from_config(config)
    known = {script.revision for script in scripts.walk_revisions()}
    with engine.connect().execution_options(immediate=True) as connection:
        noted = MigrationContext.configure(
            connection, opts={"version_table": history.version_table}
        )
        current = noted.get_current_revision()
        if current == scripts.get_current_head():
            return
        if current is not None and current not in known:
            raise LoadError(
                f"The operational database is at revision {current} of {history.owner}, which "
                "this version does not have",
                cause=f"it was created by a newer version of {history.owner}",
                hint=f"update {history.owner}",
            )
        if engine.dialect.name == "postgresql":
            lock = "SELECT pg_advisory_xact_lock(hashtext('terrafusion migrate'))"
            connection.exec_driver_sql(lock)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()
