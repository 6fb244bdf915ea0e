"""SQL Server as a source: drivers, catalog, queries; and SQLite for the demo county."""
