"""The analytics store: facts of all counties, in DuckDB or ClickHouse; a target, not a source."""
