"""Plugin tables in the operational database, built from what plugins declare."""

from functools import cache

import sqlalchemy as sa

from terrafusion_lib.core.declared import declared_plugins, result_table
from terrafusion_lib.core.tables import Column, TableSpec
from terrafusion_lib.store.models import NAMES, TYPES, columns_of, jobs


def results_of(name: str) -> sa.Table:
    """A result table.

    Raises
    ------
    PluginError
        No plugin declares it.
    """
    return _result_table(result_table(name))


def jobs_of(plugin: str) -> sa.Table | None:
    """The table with a plugin's own job columns; None if it has none or is not installed."""
    known = declared_plugins().get(plugin)
    if known is None or not known.job_columns:
        return None
    return _job_table(plugin, known.job_columns)


@cache
def _result_table(spec: TableSpec) -> sa.Table:
    return sa.Table(spec.name, sa.MetaData(naming_convention=NAMES), *columns_of(spec))


@cache
def _job_table(plugin: str, columns: tuple[Column, ...]) -> sa.Table:
    """A table with one plugin's own job columns, joined one to one with `jobs`."""
    metadata = sa.MetaData(naming_convention=NAMES)
    jobs.to_metadata(metadata)
    key = sa.Column("job_id", sa.Text(), sa.ForeignKey("jobs.job_id"), primary_key=True)
    own = [sa.Column(column.name, TYPES[column.kind]) for column in columns]
    return sa.Table(f"{plugin}_jobs", metadata, key, *own)
