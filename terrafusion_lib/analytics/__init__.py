"""The analytics store: facts of all counties, in DuckDB or ClickHouse; not a source."""
